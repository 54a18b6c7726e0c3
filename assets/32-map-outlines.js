// Few areas: outlines with names and keyboard focus. And the frame: borders and names of the level above.
(function () {
  "use strict";
  const gov = window.govMap;
  let own = [], framed = [];
  const LINE = "#0f1418";

  function plain(one) { return { color: gov.classOf(one.feature.properties.dense) || gov.now.under === gov.now.place ? LINE : "#51616d", weight: gov.size(1.2), fillOpacity: 0.9, fillColor: fill(one) }; }

  function fill(one) {
    const found = gov.classOf(one.feature.properties.dense);
    // What lies around the place that is looked at has no value here.
    if (!found) return gov.now.under === gov.now.place ? gov.token("sunk") : "#1a2229";
    return found.pattern ? `url(#gov-${found.pattern})` : found.colour;
  }

  // Patterns for "no data" and "few cases": the same that the legend shows.
  function patterns() {
    const svg = document.querySelector(".leaflet-gov-areas-pane svg");
    if (!svg || !gov.values) return;
    const colour = {};
    for (const one of gov.values.classes) if (one.pattern) colour[one.pattern] = one.colour;
    let defs = svg.querySelector("defs");
    if (!defs) defs = svg.insertBefore(document.createElementNS("http://www.w3.org/2000/svg", "defs"), svg.firstChild);
    defs.innerHTML = `<pattern id="gov-hatch" width="8" height="8" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="8" height="8" fill="${colour.hatch}"/><rect width="2" height="8" fill="#ffffff20"/></pattern>` +
      `<pattern id="gov-dots" width="6" height="6" patternUnits="userSpaceOnUse"><rect width="6" height="6" fill="${colour.dots}"/><circle cx="2" cy="2" r="1" fill="#ffffff60"/></pattern>`;
  }

  gov.colourCrisp = function () {
    if (!gov.crisp || !gov.values) return;
    patterns();
    gov.crisp.eachLayer(function (one) {
      const p = one.feature.properties, found = gov.classOf(p.dense), path = one.getElement();
      one.setStyle(plain(one));
      if (!path) return;
      path.setAttribute("tabindex", "0");
      path.setAttribute("role", "button");
      path.setAttribute("aria-label", gov.values.plain || !found ? p.name : `${p.name}: ${gov.say(gov.values.values[p.dense])}${found ? ", " + found.word : ""}`);
    });
    for (const one of own) {
      const found = gov.classOf(one.dense);
      one.mark.setIcon(icon((found && found.act ? "▲ " : "") + one.text, false));
    }
    gov.placeNames();
  };

  function icon(text, large) {
    return L.divIcon({ className: large ? "gov-name frame" : "gov-name", html: `<span>${gov.escape(text)}</span>`, iconSize: null });
  }

  function label(feature, layer, large) {
    const p = feature.properties;
    const mark = L.marker([p.at[1], p.at[0]], { pane: "gov-names", interactive: false, keyboard: false, icon: icon(p.name, large) });
    return { mark, text: p.name, dense: p.dense, area: layer, large };
  }

  function lift(one, colour, weight) {
    one.setStyle({ color: colour, weight: gov.size(weight) });
    one.bringToFront();
    gov.tip(one.feature.properties.name, one.feature.properties.dense);
  }

  gov.dropCrisp = function () {
    if (gov.crisp) gov.crisp.remove();
    gov.crisp = null;
    own.forEach(function (one) { one.mark.remove(); });
    own = [];
  };

  gov.showCrisp = function (shapes) {
    gov.dropCrisp();
    gov.crisp = L.geoJSON(shapes, {
      pane: "gov-areas", smoothFactor: 0.5, style: { color: LINE, weight: gov.size(1.2), fillColor: "#161b20", fillOpacity: 0.9 },
      onEachFeature: function (feature, one) {
        const code = feature.properties.code;
        one.on("click", function () { gov.drill(code); });
        one.on("mouseover", function () { lift(one, "#e6ecf0", 2.2); });
        one.on("mouseout", function () { one.setStyle({ color: LINE, weight: gov.size(1.2) }); gov.tip(); });
        one.on("add", function () {
          const path = one.getElement();
          if (!path) return;
          path.addEventListener("focus", function () { lift(one, "#7cc4ff", 3.5); });
          path.addEventListener("blur", function () { one.setStyle({ color: LINE, weight: gov.size(1.2) }); gov.tip(); });
          path.addEventListener("keydown", function (key) {
            if (key.key === "Enter" || key.key === " ") { key.preventDefault(); gov.drill(code); }
          });
        });
        own.push(label(feature, one, false));
      },
    }).addTo(gov.leaflet);
    gov.colourCrisp();
  };

  gov.dropFrame = function () {
    if (gov.frame) gov.frame.remove();
    gov.frame = null;
    framed.forEach(function (one) { one.mark.remove(); });
    framed = [];
  };

  gov.showFrame = function (shapes) {
    gov.dropFrame();
    gov.frame = L.geoJSON(shapes, {
      pane: "gov-lines", interactive: false, style: { color: "#c3ced6", weight: gov.size(1.6), opacity: 0.85, fill: false },
      onEachFeature: function (feature, one) { framed.push(label(feature, one, true)); },
    }).addTo(gov.leaflet);
    gov.placeNames();
  };

  function width(text, em) {
    return [...text].reduce(function (sum, c) { return sum + (c.charCodeAt(0) > 255 ? 1 : 0.56); }, 0) * em;
  }

  // A name is shown where its area is wide enough for it and no other name is in the way, and beside
  // the marks rather than below them. The frame's names come first.
  gov.placeNames = function () {
    const map = gov.leaflet, room = map.getSize(), taken = [], marks = [...(gov.markBoxes || []), ...gov.focusBoxes()];
    const hit = function (box, all) { return all.some(function (o) { return box[0] < o[2] && box[2] > o[0] && box[1] < o[3] && box[3] > o[1]; }); };
    for (const one of [...framed, ...own]) {
      const bounds = one.area.getBounds(), em = gov.rem() * (one.large ? 1 : 0.8) * (gov.far() ? 1.25 : 1), wide = width(one.text, em) + em * 0.4;
      const a = map.latLngToContainerPoint(bounds.getNorthWest()), b = map.latLngToContainerPoint(bounds.getSouthEast());
      const p = map.latLngToContainerPoint(one.mark.getLatLng());
      const boxes = [0, -1.95, 1.95, -3.2, 3.2].map(function (dy) { return [p.x - wide / 2, p.y + dy * em - em * 0.65, p.x + wide / 2, p.y + dy * em + em * 0.65, dy]; });
      // A name is whole or not there: those of neighbours may lie across the map's edge.
      const open = boxes.filter(function (box) { return box[0] >= 0 && box[1] >= 0 && box[2] <= room.x && box[3] <= room.y && !hit(box, taken) && (box[4] === 0 || Math.abs(box[4] * em) < (b.y - a.y) / 2.5); });
      const best = open.find(function (box) { return !hit(box, marks); }) || open[0];
      if (!best || b.x - a.x < wide * 0.9 || b.y - a.y < em) { one.mark.remove(); continue; }
      taken.push(best);
      one.mark.addTo(map);
      one.mark.getElement().firstChild.style.marginTop = `${best[4] * em}px`;
    }
  };
})();
