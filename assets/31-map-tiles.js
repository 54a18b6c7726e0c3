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

  gov.makeGrid = function () {
    const Grid = L.GridLayer.extend({
      createTile: function (at, done) {
        const canvas = document.createElement("canvas");
        canvas.width = canvas.height = SIZE;
        canvas.setAttribute("aria-hidden", "true");
        fetch(`/map/tiles/${this.options.tree}/${this.options.level}/${at.z}/${at.x}/${at.y}.webp`)
          .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.blob(); })
          .then(function (blob) { return createImageBitmap(blob, { colorSpaceConversion: "none", premultiplyAlpha: "none" }); })
          .then(function (picture) {
            const pen = canvas.getContext("2d", { willReadFrequently: true });
            pen.drawImage(picture, 0, 0);
            const rgba = pen.getImageData(0, 0, SIZE, SIZE).data, ids = new Uint32Array(SIZE * SIZE);
            for (let i = 0, k = 0; i < ids.length; i++, k += 4) ids[i] = (rgba[k] << 16) | (rgba[k + 1] << 8) | rgba[k + 2];
            canvas.ids = ids;
            paint(canvas);
            done(null, canvas);
          }).catch(function (bad) { done(bad, canvas); });
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
    told.bytes = Uint8Array.from(atob(told.numbers), function (c) { return c.charCodeAt(0); });
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
