// What lies below: the city's outline and its water; and how the city is fitted to the free part of the map.
(function () {
  "use strict";
  const gov = window.govMap;
  let base = null, baseKey = "";

  gov.resetBase = function () { base = null; baseKey = ""; };

  gov.drawBase = function () {
    const key = gov.now.tree + gov.now.lang;
    if (key === baseKey) return;
    baseKey = key;
    gov.fetchJson(gov.now.urls.base).then(function (told) {
      if (base) base.remove();
      base = L.layerGroup().addTo(gov.leaflet);
      const still = { interactive: false, pane: "gov-base" };
      if (told.outline) L.geoJSON(told.outline, { ...still, style: { color: "#5d7180", weight: gov.size(3), fillColor: "#12181d", fillOpacity: 1 } }).addTo(base);
      if (told.water) L.geoJSON(told.water, { interactive: false, pane: "gov-water", style: { color: "#274a5f", weight: gov.size(0.8), fillColor: "#0d2431", fillOpacity: 1 } }).addTo(base);
      if (told.first) L.geoJSON(told.first, { interactive: false, pane: "gov-lines", style: { color: "#c3ced6", weight: gov.size(1.1), opacity: 0.55, fill: false } }).addTo(base);
    }).catch(gov.failed);
  };

  // Base pictures of another datum are moved to where the city's own coordinates lie.
  gov.shiftBase = function () {
    const pane = gov.leaflet.getPane("tilePane"), shift = gov.now && gov.now.shift;
    if (!shift || !pane) return;
    const here = gov.leaflet.getCenter(), a = gov.leaflet.latLngToContainerPoint(here);
    const b = gov.leaflet.latLngToContainerPoint([here.lat + shift[1], here.lng + shift[0]]);
    pane.style.marginLeft = `${a.x - b.x}px`;
    pane.style.marginTop = `${a.y - b.y}px`;
  };

  // The panel takes the right side when the place then still fits as large as the map's height allows;
  // otherwise the place may lie below the panel's empty corner.
  gov.fit = function () {
    const map = gov.leaflet, box = gov.now.bbox;
    if (!box || !map._loaded) return;
    const size = map.getSize(), edge = gov.size(10);
    // A wall's panel is its legend alone.
    const wide = size.x > 700 ? gov.rem() * (gov.far() ? 9.5 : 15.8) : 0;
    const bounds = L.latLngBounds([[box[1], box[0]], [box[3], box[2]]]);
    map.fitBounds(bounds, { animate: false, paddingTopLeft: [edge + gov.rem() * (wide ? 0.4 : 0), edge], paddingBottomRight: [edge + wide, edge] });
    gov.shiftBase();
  };
})();
