// Case marks: rings with the status mix where there are many, one mark of the status' shape where few.
(function () {
  "use strict";
  const gov = window.govMap;
  const GROUND = "#0f1418";
  let marks = null, asked = 0, flying = "";

  const SHAPES = {
    circle: "M8 2a6 6 0 1 0 .01 0z", square: "M3 3h10v10H3z", triangle: "M8 2l6 11H2z", diamond: "M8 1l7 7-7 7-7-7z",
    hexagon: "M5 2h6l4 6-4 6H5L1 8z", cross: "M2 4l2-2 4 4 4-4 2 2-4 4 4 4-2 2-4-4-4 4-2-2 4-4z", bar: "M2 6h12v4H2z",
    octagon: "M5 1h6l4 4v6l-4 4H5l-4-4V5z",
    pentagon: "M8 1l7 5-3 9H4L1 6z", pause: "M3 2h4v12H3zM9 2h4v12H9z",
    ring: "M8 1a7 7 0 1 0 .01 0zM8 5a3 3 0 1 1-.01 0z",
  };
  const OTHER = { colour: "#9fc5e8", shape: "square" };

  gov.shapeOf = function (status) {
    return `<svg viewBox="0 0 16 16" aria-hidden="true"><path d="${SHAPES[status.shape]}" fill="${status.colour}"/></svg>`;
  };

  function radius(n) { return Math.min(19, 8 + 2.4 * Math.log2(n)); }

  function ring(point) {
    const scale = gov.size(1), r = radius(point.n), around = 2 * Math.PI * (r - 2.5);
    let at = 0, arcs = "";
    for (const [status, n] of Object.entries(point.by_status || {})) {
      const part = around * n / point.n, one = gov.now.status[status] || OTHER;
      arcs += `<circle cx="${r}" cy="${r}" r="${r - 2.5}" fill="none" stroke="${one.colour}" stroke-width="3" stroke-dasharray="${part} ${around - part}" stroke-dashoffset="${-at}"/>`;
      at += part;
    }
    const late = point.overdue ? `<path d="M${r * 1.72} ${r * 0.02 - 3}l5 8.5h-10z" fill="${gov.now.overdue}" stroke="${GROUND}" stroke-width="1.2"/>` : "";
    return `<svg width="${2 * r * scale}" height="${2 * r * scale}" viewBox="0 0 ${2 * r} ${2 * r}" aria-hidden="true">` +
      `<circle cx="${r}" cy="${r}" r="${r - 0.5}" fill="#0f1418e6"/>${arcs}${late}` +
      `<text x="${r}" y="${r + 4}" text-anchor="middle" fill="#e6ecf0" font-size="${point.n > 999 && !gov.far() ? 9.5 : 11}">${point.n}</text></svg>`;
  }

  function single(point) {
    const one = (point.by_status && gov.now.status[Object.keys(point.by_status)[0]]) || OTHER;
    const late = point.overdue ? `<path d="M13 -1l4.5 7.5H8.5z" fill="${gov.now.overdue}" stroke="${GROUND}"/>` : "";
    return `<svg width="${gov.rem()}" height="${gov.rem()}" viewBox="0 0 18 18" aria-hidden="true">` +
      `<path d="${SHAPES[one.shape]}" fill="${one.colour}" stroke="${GROUND}" stroke-width="1.5" transform="translate(1 1)"/>${late}</svg>`;
  }

  function describe(point) {
    const words = gov.now.words;
    const parts = Object.entries(point.by_status || {}).map(function ([s, n]) { return `${(gov.now.status[s] || { name: s }).name} ${n}`; });
    if (point.overdue) parts.push(`▲ ${words.overdue} ${point.overdue}`);
    return ((point.nos || [])[0] || point.name || `${point.n} ${words.cases}`) + (parts.length ? ": " + parts.join(", ") : "");
  }

  function place(point) {
    const no = (point.nos || [])[0], opens = (gov.now.marks.find(function (one) { return one.id === gov.markKind; }) || {}).opens;
    const icon = L.divIcon({ className: "gov-mark", html: point.n === 1 ? single(point) : ring(point), iconSize: null });
    const one = L.marker([point.lat, point.lon], { icon, pane: "gov-marks", keyboard: true, title: describe(point), alt: describe(point) });
    one.on("click keypress", function (event) {
      if (event.type === "keypress" && event.originalEvent.key !== "Enter") return;
      if (no && gov.markKind === "cases") gov.go({ case: no, thing: "" });
      else if (no && opens) gov.go({ thing: `${opens}:${no}`, case: "" });
      else if (!no) gov.leaflet.setView([point.lat, point.lon], Math.min(20, gov.leaflet.getZoom() + 2), { animate: false });
    });
    marks.addLayer(one);
    const at = gov.leaflet.latLngToContainerPoint([point.lat, point.lon]), r = gov.size(point.n === 1 ? 8 : radius(point.n));
    gov.markBoxes.push([at.x - r, at.y - r, at.x + r, at.y + r]);
  }

  gov.resetMarks = function () { marks = null; };

  gov.drawMarks = function () {
    const map = gov.leaflet;
    if (!map || !gov.now || !map._loaded || !gov.now.bbox) return;
    const box = map.getBounds();
    if (!marks) marks = L.layerGroup().addTo(map);
    const draw = function (points) {
      marks.clearLayers();
      gov.markBoxes = [];
      points.forEach(place);
      gov.placeNames();
    };
    if (gov.markKind === "") { asked += 1; flying = ""; return draw([]); }
    // On a wall the marks are larger, so they are gathered as one zoom level (or two) further out.
    const zoom = Math.round(map.getZoom() - Math.log2(gov.size(1)));
    const at = `west=${box.getWest()}&south=${box.getSouth()}&east=${box.getEast()}&north=${box.getNorth()}&zoom=${zoom}&mark=${gov.markKind}`;
    const url = `/map/points?${gov.now.query}&${at}`;
    if (url === flying) return; // the move and the new state ask for the same
    const mine = ++asked;
    flying = url;
    gov.fetchJson(url).then(function (told) { if (mine === asked) draw(told.points); }).catch(gov.failed)
      .finally(function () { if (mine === asked) flying = ""; });
  };
})();
