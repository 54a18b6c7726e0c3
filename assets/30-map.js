// The map's other half: paints id tiles by a table of classes, outlines where areas are few, and case marks.
// The address is the state: a click only changes the address (see go), and the state that follows is drawn.
(function () {
  "use strict";
  const SIZE = 256;
  let map = null, state = null, values = null, lut = new Uint32Array(1), grid = null, crisp = null, labels = [];
  let marks = null, base = null, baseKey = "", placeKey = "", markKind = "cases", asked = 0;
  const names = new Map();

  function go(change) {
    const query = new URLSearchParams(window.location.search);
    query.delete("after");
    for (const [key, value] of Object.entries(change)) {
      if (value === "" || value === null) query.delete(key); else query.set(key, value);
    }
    window.dash_clientside.set_props("url", { search: "?" + query.toString() });
  }

  function fetchJson(url) {
    return fetch(url).then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); });
  }

  function pack(colour, alpha) { // "#rrggbb" -> little-endian RGBA
    const n = parseInt(colour.slice(1), 16);
    return ((alpha << 24) | ((n & 255) << 16) | (n & 0xff00) | (n >> 16)) >>> 0;
  }

  function say(value) {
    if (value === null || value === undefined) return state.words.unknown;
    const unit = values.unit;
    if (unit === "%") return (value * 100).toFixed(1) + "%";
    const text = Math.abs(value) < 100 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
    return text + " " + values.unit_word;
  }

  function makeGrid() {
    const Grid = L.GridLayer.extend({
      createTile: function (at, done) {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = SIZE;
        canvas.setAttribute("aria-hidden", "true");
        fetch(`/map/tiles/${this.options.tree}/${this.options.level}/${at.z}/${at.x}/${at.y}.png`)
          .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.blob(); })
          .then(function (blob) { return createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" }); })
          .then(function (picture) {
            const pen = canvas.getContext("2d", { willReadFrequently: true });
            pen.drawImage(picture, 0, 0);
            const rgba = pen.getImageData(0, 0, SIZE, SIZE).data;
            const ids = new Uint32Array(SIZE * SIZE);
            for (let i = 0, k = 0; i < ids.length; i++, k += 4) ids[i] = (rgba[k] << 16) | (rgba[k + 1] << 8) | rgba[k + 2];
            canvas.ids = ids;
            paint(canvas);
            done(null, canvas);
          }).catch(function (bad) { done(bad, canvas); });
        return canvas;
      },
    });
    return new Grid({ tree: state.tree, level: state.level, pane: "gov-areas", tileSize: SIZE, maxZoom: 20, updateWhenZooming: false, keepBuffer: 1 });
  }

  function paint(canvas) {
    const ids = canvas.ids;
    if (!ids) return;
    const pen = canvas.getContext("2d");
    const picture = pen.createImageData(SIZE, SIZE);
    const out = new Uint32Array(picture.data.buffer);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      let colour = id < lut.length ? lut[id] : 0;
      if (colour) {
        const x = i & 255;
        // A border is where the next pixel is another area.
        if ((x < 255 && ids[i + 1] !== id) || (i < 65280 && ids[i + 256] !== id)) colour = 0xff19130f;
      }
      out[i] = colour;
    }
    pen.putImageData(picture, 0, 0);
  }

  function repaint() {
    if (!grid) return;
    for (const tile of Object.values(grid._tiles)) paint(tile.el);
  }

  function setValues(told) {
    values = told;
    const bytes = Uint8Array.from(atob(told.numbers), function (c) { return c.charCodeAt(0); });
    const colours = {};
    for (const one of told.classes) colours[one.number] = pack(one.colour, 224);
    lut = new Uint32Array(bytes.length);
    for (let i = 0; i < bytes.length; i++) lut[i] = colours[bytes[i]] || 0;
    values.bytes = bytes;
    repaint();
    colourCrisp();
    drawPanel();
  }

  function colourOf(dense) {
    const one = values && values.classes.find(function (c) { return c.number === values.bytes[dense]; });
    return one ? one : null;
  }

  function colourCrisp() {
    if (!crisp || !values) return;
    crisp.eachLayer(function (one) {
      const p = one.feature.properties, cls = colourOf(p.dense);
      one.setStyle({ fillColor: cls ? cls.colour : "#1b2127", fillOpacity: 0.88, color: "#0f1418", weight: 1.2 });
      const path = one.getElement();
      if (path) {
        path.setAttribute("tabindex", "0");
        path.setAttribute("role", "button");
        path.setAttribute("aria-label", `${p.name}: ${say(values.values[p.dense])}${cls ? ", " + cls.word : ""}`);
      }
    });
  }

  function showCrisp(shapes, fits) {
    if (crisp) crisp.remove();
    labels.forEach(function (one) { one.remove(); });
    labels = [];
    crisp = L.geoJSON(shapes, {
      pane: "gov-areas", smoothFactor: 0.5,
      onEachFeature: function (feature, one) {
        const p = feature.properties;
        one.on("click", function () { drill(p.code); });
        one.on("mouseover", function () { one.setStyle({ color: "#e3e9ed", weight: 2.5 }); one.bringToFront(); tip(p.name, p.dense); });
        one.on("mouseout", function () { one.setStyle({ color: "#0f1418", weight: 1.2 }); tip(); });
        one.on("add", function () {
          const path = one.getElement();
          if (!path) return;
          path.addEventListener("focus", function () { one.setStyle({ color: "#7cc4ff", weight: 3 }); one.bringToFront(); tip(p.name, p.dense); });
          path.addEventListener("blur", function () { one.setStyle({ color: "#0f1418", weight: 1.2 }); tip(); });
          path.addEventListener("keydown", function (key) {
            if (key.key === "Enter" || key.key === " ") { key.preventDefault(); drill(p.code); }
          });
        });
        labels.push(L.marker([p.at[1], p.at[0]], {
          pane: "gov-names", interactive: false, keyboard: false,
          icon: L.divIcon({ className: "gov-name", html: `<span>${escapeHtml(p.name)}</span>`, iconSize: null }), width: p.name,
        }));
        labels[labels.length - 1].of = one;
      },
    }).addTo(map);
    colourCrisp();
    if (fits) fits();
    placeNames();
  }

  function placeNames() {
    // A name is shown where its area is wide enough for it and no other name is in the way.
    const taken = [];
    labels.forEach(function (one) {
      const box = one.of.getBounds(), a = map.latLngToContainerPoint(box.getNorthWest()), b = map.latLngToContainerPoint(box.getSouthEast());
      const em = rem();
      const text = one.options.width, wide = [...text].reduce(function (w, c) { return w + (c.charCodeAt(0) > 255 ? 1 : 0.58); }, 0) * em * 0.82;
      const p = map.latLngToContainerPoint(one.getLatLng());
      const mine = [p.x - wide / 2, p.y - em * 0.6, p.x + wide / 2, p.y + em * 0.6];
      const fits = b.x - a.x > wide * 0.9 && b.y - a.y > em && !taken.some(function (o) { return mine[0] < o[2] && mine[2] > o[0] && mine[1] < o[3] && mine[3] > o[1]; });
      if (fits) { taken.push(mine); one.addTo(map); } else one.remove();
    });
  }

  function escapeHtml(text) {
    return String(text).replace(/[&<>"']/g, function (c) { return { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" }[c]; });
  }

  function drill(code) { if (code !== state.place) go({ place: code, level: "" }); }

  function up() {
    if (state && state.case) return go({ case: "" });
    if (state && !state.top) go({ place: state.up, level: "" });
  }

  function tip(name, dense) {
    const box = document.getElementById("map-tip");
    if (!box || !values) return;
    if (!name) { box.textContent = ""; box.className = ""; return; }
    const cls = colourOf(dense), n = values.n[dense];
    box.className = "on";
    box.innerHTML = `<b>${escapeHtml(name)}</b> ${escapeHtml(values.title)} ${escapeHtml(say(values.values[dense]))}` +
      (n !== null && n !== undefined && values.unit !== "n" ? ` · n=${n}` : "") + (cls ? ` · ${escapeHtml(cls.word)}` : "");
  }

  function areaAt(point) {
    if (!grid || !grid._map) return 0;
    const z = grid._tileZoom;
    if (z === undefined) return 0;
    const scale = map.getZoomScale(z, map.getZoom());
    const px = map.project(point, map.getZoom()).multiplyBy(scale);
    const tile = grid._tiles[`${Math.floor(px.x / SIZE)}:${Math.floor(px.y / SIZE)}:${z}`];
    if (!tile || !tile.el.ids) return 0;
    return tile.el.ids[(Math.floor(px.y) & 255) * SIZE + (Math.floor(px.x) & 255)];
  }

  function nameOf(dense) {
    const key = `/map/area/${state.tree}/${state.level}/${dense}?lang=${state.lang}`;
    if (!names.has(key)) names.set(key, fetchJson(key));
    return names.get(key);
  }

  let hovered = 0;
  function hover(event) {
    if (state.crisp) return;
    const dense = areaAt(event.latlng);
    if (dense === hovered) return;
    hovered = dense;
    if (!dense || !lut[dense]) return tip();
    nameOf(dense).then(function (one) { if (hovered === dense && one.name) tip(one.path.slice(-2).join(" › "), dense); });
  }

  function clicked(event) {
    if (!state || state.crisp) return;
    const dense = areaAt(event.latlng);
    if (dense && lut[dense]) nameOf(dense).then(function (one) { if (one.code) drill(one.code); });
  }

  function rem() { return parseFloat(getComputedStyle(document.documentElement).fontSize); }

  function ring(point) {
    const scale = rem() / 16, r = Math.min(26, 11 + 3.2 * Math.log2(point.n)), around = 2 * Math.PI * (r - 3);
    let at = 0, arcs = "";
    for (const [status, n] of Object.entries(point.by_status || {})) {
      const part = around * n / point.n;
      arcs += `<circle cx="${r}" cy="${r}" r="${r - 3}" fill="none" stroke="${state.status[status].colour}" stroke-width="4" stroke-dasharray="${part} ${around - part}" stroke-dashoffset="${-at}"/>`;
      at += part;
    }
    const late = point.overdue ? `<path d="M${r} ${r - 3} m0 -${r * 0.62} l4.5 8 h-9z" fill="${state.overdue}"/>` : "";
    return `<svg width="${2 * r * scale}" height="${2 * r * scale}" viewBox="0 0 ${2 * r} ${2 * r}" aria-hidden="true"><circle cx="${r}" cy="${r}" r="${r - 1}" fill="#0f1418e6"/>${arcs}${late}` +
      `<text x="${r}" y="${r + 5}" text-anchor="middle" fill="#e3e9ed" font-size="${point.n > 999 ? 10 : 12}">${point.n}</text></svg>`;
  }

  const SHAPES = {
    circle: "M8 2a6 6 0 1 0 .01 0z", square: "M3 3h10v10H3z", triangle: "M8 2l6 11H2z", diamond: "M8 1l7 7-7 7-7-7z",
    hexagon: "M5 2h6l4 6-4 6H5L1 8z", cross: "M2 2l12 12M14 2L2 14", bar: "M2 7h12v2H2z",
  };

  function single(point) {
    const status = point.by_status ? state.status[Object.keys(point.by_status)[0]] : { colour: "#8fb7c9", shape: "square" };
    const late = point.overdue ? `<path d="M13 0l4 7H9z" fill="${state.overdue}" stroke="#0f1418"/>` : "";
    return `<svg width="${rem() * 1.1}" height="${rem() * 1.1}" viewBox="0 0 18 18" aria-hidden="true"><path d="${SHAPES[status.shape]}" fill="${status.colour}" stroke="#0f1418" stroke-width="1.5"/>${late}</svg>`;
  }

  function describe(point) {
    const parts = Object.entries(point.by_status || {}).map(function ([s, n]) { return `${state.status[s].name} ${n}`; });
    if (point.overdue) parts.push(`▲ ${state.words.overdue} ${point.overdue}`);
    return ((point.nos || [])[0] || point.name || `${point.n} ${state.words.cases}`) + (parts.length ? ": " + parts.join(", ") : "");
  }

  function drawMarks() {
    if (!map || !state || !map._loaded || !state.bbox) return;
    const mine = ++asked, box = map.getBounds();
    if (markKind === "") { if (marks) marks.clearLayers(); return; }
    const at = `west=${box.getWest()}&south=${box.getSouth()}&east=${box.getEast()}&north=${box.getNorth()}&zoom=${Math.round(map.getZoom())}&mark=${markKind}`;
    fetchJson(`/map/points?${state.query}&${at}`).then(function (told) {
      if (mine !== asked) return;
      if (!marks) marks = L.layerGroup().addTo(map); else marks.clearLayers();
      for (const point of told.points) {
        const no = (point.nos || [])[0];
        const icon = L.divIcon({ className: "gov-mark", html: point.n === 1 ? single(point) : ring(point), iconSize: null });
        const one = L.marker([point.lat, point.lon], { icon, pane: "gov-marks", keyboard: point.n === 1, title: describe(point), alt: describe(point) });
        one.on("click", function () {
          if (no) go({ case: no }); else map.setView([point.lat, point.lon], Math.min(20, map.getZoom() + 2), { animate: false });
        });
        marks.addLayer(one);
      }
    }).catch(failed);
  }

  function failed() {
    const box = document.getElementById("map-tip");
    if (box && state) { box.className = "on failed"; box.textContent = "⚠ " + state.words.failed; }
  }

  function choice(label, options, chosen, act) {
    const row = document.createElement("label"), list = document.createElement("select");
    row.textContent = label + " ";
    for (const one of options) list.add(new Option(one.name, one.id, false, String(one.id) === String(chosen)));
    list.addEventListener("change", function () { act(list.value); });
    row.appendChild(list);
    return row;
  }

  function drawPanel() {
    const box = document.getElementById("map-panel");
    if (!box || !values) return;
    box.textContent = "";
    box.appendChild(choice(state.words.layer, state.layers, state.layer, function (id) { go({ layer: id }); }));
    if (state.levels.length > 1) box.appendChild(choice(state.words.level, state.levels, state.level, function (id) { go({ level: id }); }));
    box.appendChild(choice(state.words.marks, [{ id: "", name: "—" }, ...state.marks], markKind, function (id) { markKind = id; drawMarks(); }));
    const legend = document.createElement("table");
    legend.setAttribute("aria-label", state.words.legend);
    for (const one of values.classes) {
      if (!one.count) continue;
      const row = legend.insertRow();
      row.innerHTML = `<td><i class="swatch ${one.pattern}" style="background-color:${one.colour}"></i></td><td>${escapeHtml(one.word)}</td>` +
        `<td>${escapeHtml(one.text)}</td><td class="num">${one.count}</td>`;
    }
    box.appendChild(legend);
    const foot = document.createElement("div");
    foot.className = "quiet";
    foot.textContent = `${state.n.toLocaleString("en-US")} ${state.words.areas}` + (values.as_of ? ` · ${state.words.as_of} ${values.as_of}` : "") + ` · ${state.words.hint}`;
    box.appendChild(foot);
  }

  function drawBase() {
    const key = state.tree + state.lang;
    if (key === baseKey) return;
    baseKey = key;
    fetchJson(`/map/base/${state.tree}?lang=${state.lang}`).then(function (told) {
      if (base) base.remove();
      base = L.layerGroup().addTo(map);
      const still = { interactive: false, pane: "gov-base" };
      if (told.outline) L.geoJSON(told.outline, { ...still, style: { color: "#4a5b68", weight: 2, fillColor: "#141b20", fillOpacity: 1 } }).addTo(base);
      if (told.water) L.geoJSON(told.water, { ...still, style: { color: "#1c3442", weight: 0, fillColor: "#18303f", fillOpacity: 1 } }).addTo(base);
      if (told.first) L.geoJSON(told.first, { interactive: false, pane: "gov-lines", style: { color: "#aebcc7", weight: 1.1, opacity: 0.75, fill: false } }).addTo(base);
    }).catch(failed);
  }

  function shiftBase() {
    const pane = map.getPane("tilePane");
    if (!state || !state.shift || !pane) return;
    const here = map.getCenter(), a = map.latLngToContainerPoint(here);
    const b = map.latLngToContainerPoint([here.lat + state.shift[1], here.lng + state.shift[0]]);
    pane.style.marginLeft = `${a.x - b.x}px`;
    pane.style.marginTop = `${a.y - b.y}px`;
  }

  function show(next) {
    const before = state;
    state = next;
    if (!map) return; // the map itself comes later and asks again
    const sameAreas = before && before.tree === next.tree && before.level === next.level && before.place === next.place && before.lang === next.lang && (grid || crisp);
    const key = `${next.tree}/${next.place}`;
    const fit = function () {
      if (key !== placeKey && next.bbox) {
        placeKey = key;
        const box = document.getElementById("map-panel"), wide = map.getSize().x;
        const aside = box && box.offsetWidth && box.offsetWidth < wide * 0.4 ? box.offsetWidth : wide > 700 ? wide * 0.28 : 0;
        map.fitBounds([[next.bbox[1], next.bbox[0]], [next.bbox[3], next.bbox[2]]], { animate: false, paddingTopLeft: [12, 12], paddingBottomRight: [12 + aside, 12] });
        shiftBase();
      }
    };
    drawBase();
    if (!sameAreas) {
      names.clear();
      tip();
      const code = next.place;
      if (next.crisp) {
        fetchJson(`/map/shapes/${next.tree}/${next.level}/${encodeURIComponent(code)}?lang=${next.lang}`).then(function (shapes) {
          if (state !== next) return;
          if (grid) { grid.remove(); grid = null; }
          showCrisp(shapes, fit);
        }).catch(failed);
      } else {
        if (crisp) { crisp.remove(); crisp = null; labels.forEach(function (one) { one.remove(); }); labels = []; }
        fit();
        if (grid) grid.remove();
        grid = makeGrid().addTo(map);
      }
    }
    const query = new URLSearchParams(next.query);
    query.set("layer", next.layer);
    query.set("level", next.level);
    fetchJson("/map/values?" + query).then(function (told) { if (state === next) { setValues(told); window.govMap.painted += 1; } }).catch(failed);
    drawMarks();
  }

  function begin(made) {
    if (made.getContainer().id !== "map") return;
    map = made;
    grid = crisp = marks = base = values = null;
    labels = [];
    baseKey = placeKey = "";
    for (const [name, z] of [["gov-base", 210], ["gov-areas", 350], ["gov-lines", 380], ["gov-names", 620], ["gov-marks", 630]]) {
      map.createPane(name).style.zIndex = z;
    }
    map.getPane("gov-lines").style.pointerEvents = "none";
    map.getPane("gov-names").style.pointerEvents = "none";
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(map);
    map.on("mousemove", hover);
    map.on("click", clicked);
    map.on("moveend", function () { drawMarks(); });
    map.on("zoomend", function () { placeNames(); shiftBase(); });
    new ResizeObserver(function () { map.invalidateSize(); }).observe(map.getContainer());
    if (state) { const kept = state; state = null; map.whenReady(function () { setTimeout(function () { show(kept); }, 0); }); }
  }

  document.addEventListener("keydown", function (key) {
    if (key.key === "Escape" && !/^(INPUT|SELECT|TEXTAREA)$/.test(key.target.tagName)) up();
  });

  window.govMap = { show, painted: 0, recolour: repaint, map: function () { return map; }, state: function () { return state; } };
  (function hook() {
    if (window.L && window.L.Map) window.L.Map.addInitHook(function () { begin(this); });
    else setTimeout(hook, 5);
  })();
})();
