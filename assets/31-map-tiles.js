// Many areas: id tiles, whose pixel is an area's number, painted by a table of classes.
(function () {
  "use strict";
  const gov = window.govMap, SIZE = 256, BORDER = 0xff19130f, LIGHTER = 0x00181818;
  let lut = new Uint32Array(1), pattern = new Uint8Array(1);
  const names = new Map();

  function pack(colour, alpha) { // "#rrggbb" -> little-endian RGBA
    const n = parseInt(colour.slice(1), 16);
    return ((alpha << 24) | ((n & 255) << 16) | (n & 0xff00) | (n >> 16)) >>> 0;
  }

  function paint(canvas) {
    const ids = canvas.ids;
    if (!ids) return;
    const pen = canvas.getContext("2d"), picture = pen.createImageData(SIZE, SIZE);
    const out = new Uint32Array(picture.data.buffer);
    for (let i = 0; i < ids.length; i++) {
      const id = ids[i];
      let colour = id < lut.length ? lut[id] : 0;
      if (colour) {
        const x = i & 255, drawn = pattern[id];
        // A border is where the next pixel is another area.
        if ((x < 255 && ids[i + 1] !== id) || (i < 65280 && ids[i + 256] !== id)) colour = BORDER;
        else if (drawn === 1 && ((x + (i >> 8)) & 7) < 2) colour += LIGHTER; // hatched: no data
        else if (drawn === 2 && (x & 3) < 2 && ((i >> 8) & 3) < 2) colour += LIGHTER; // dotted: few cases
      }
      out[i] = colour;
    }
    pen.putImageData(picture, 0, 0);
  }

  // Tiles are read in a thread of their own (31-map-decode.worker.js), which begins with the page and not with the first tile.
  const reader = new Worker("/assets/31-map-decode.worker.js"), waiting = new Map();
  let asked = 0;
  reader.onmessage = function (told) {
    const { key, ids, bad } = told.data, then = waiting.get(key);
    waiting.delete(key);
    if (then) then(bad ? new Error(bad) : null, ids);
  };

  function read(url, then) {
    waiting.set(++asked, then);
    reader.postMessage({ key: asked, url: url });
  }

  gov.makeGrid = function () {
    const Grid = L.GridLayer.extend({
      // A map that is fitted anew (a panel beside it came) would throw all pictures away and read the same ones again.
      // What is no longer in sight Leaflet takes away itself when the new ones are there.
      _invalidateAll: function () {},
      createTile: function (at, done) {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = SIZE;
        canvas.setAttribute("aria-hidden", "true");
        read(`/map/tiles/${this.options.tree}/${this.options.level}/${at.z}/${at.x}/${at.y}.webp`, function (bad, ids) {
          if (ids) {
            canvas.ids = ids;
            paint(canvas);
          }
          done(bad, canvas);
        });
        return canvas;
      },
    });
    return new Grid({
      tree: gov.now.tree, level: gov.now.level, pane: "gov-areas", tileSize: SIZE, maxZoom: 20,
      updateWhenZooming: false, keepBuffer: 1,
    });
  };

  gov.recolour = function () {
    if (gov.grid) for (const tile of Object.values(gov.grid._tiles)) paint(tile.el);
  };

  gov.setValues = function (told) {
    gov.values = told;
    if (!told.bytes) {
      told.bytes = new Uint8Array(gov.bytes(told.numbers));
      told.values = gov.column(told.values);
      told.n = gov.column(told.n);
    }
    told.by_number = {};
    for (const one of told.classes) told.by_number[one.number] = one;
    gov.repaint();
  };

  // Paint by the class numbers as they are now.
  gov.repaint = function () {
    const told = gov.values, colours = {}, patterns = {};
    for (const one of told.classes) {
      colours[one.number] = pack(one.colour, 224);
      patterns[one.number] = one.pattern === "hatch" ? 1 : one.pattern === "dots" ? 2 : 0;
    }
    lut = new Uint32Array(told.bytes.length);
    pattern = new Uint8Array(told.bytes.length);
    for (let i = 0; i < lut.length; i++) { lut[i] = colours[told.bytes[i]] || 0; pattern[i] = patterns[told.bytes[i]] || 0; }
    gov.recolour();
  };

  function areaAt(point) {
    const grid = gov.grid, map = gov.leaflet;
    if (!grid || !grid._map || grid._tileZoom === undefined) return 0;
    const z = grid._tileZoom, px = map.project(point, map.getZoom()).multiplyBy(map.getZoomScale(z, map.getZoom()));
    const tile = grid._tiles[`${Math.floor(px.x / SIZE)}:${Math.floor(px.y / SIZE)}:${z}`];
    if (!tile || !tile.el.ids) return 0;
    const dense = tile.el.ids[(Math.floor(px.y) & 255) * SIZE + (Math.floor(px.x) & 255)];
    return lut[dense] ? dense : 0;
  }

  function nameOf(dense) {
    const key = `/map/area/${gov.now.tree}/${gov.now.level}/${dense}?lang=${gov.now.lang}`;
    if (!names.has(key)) names.set(key, gov.fetchJson(key));
    return names.get(key);
  }

  let hovered = 0;
  gov.hover = function (event) {
    if (!gov.now || gov.now.crisp) return;
    const dense = areaAt(event.latlng);
    if (dense === hovered) return;
    hovered = dense;
    if (!dense) return gov.tip();
    nameOf(dense).then(function (one) { if (hovered === dense && one.name) gov.tip(one.path.slice(-2).join(" › "), dense); }).catch(gov.failed);
  };

  gov.clicked = function (event) {
    if (!gov.now || gov.now.crisp) return;
    const dense = areaAt(event.latlng);
    if (dense) nameOf(dense).then(function (one) { if (one.code) gov.drill(one.code); }).catch(gov.failed);
  };
})();
