// The one case or alarm that is open: where it is, whatever marks the map shows; on a wall with the cameras nearest to it.
(function () {
  "use strict";
  const gov = window.govMap;
  let group = null;

  gov.resetFocus = function () { group = null; };

  function target(one) {
    const looks = gov.now.status[one.status] || { colour: "#9fc5e8", shape: "square" }, size = gov.size(44);
    return `<svg class="target" width="${size}" height="${size}" viewBox="0 0 44 44" aria-hidden="true"><circle cx="22" cy="22" r="19" fill="none" stroke="#0f1418" stroke-width="6"/>` +
      `<circle cx="22" cy="22" r="19" fill="none" stroke="#e6ecf0" stroke-width="3"/></svg>` +
      gov.shapeOf(looks).replace("<svg ", `<svg width="${gov.size(18)}" height="${gov.size(18)}" `);
  }

  // A name has room beside its camera, or is left to the list; a camera out of sight has no mark at all.
  function camera(one) {
    const at = gov.leaflet.latLngToContainerPoint([one.lat, one.lon]), room = gov.leaflet.getSize(), rem = gov.rem();
    if (at.x < rem || at.y < rem || at.x > room.x - rem || at.y > room.y - rem) return "";
    const name = at.x + rem * (2 + one.name.length) < room.x ? `<span>${gov.escape(one.name)}</span>` : "";
    const looks = gov.now.status[one.status] || { colour: "#8296a3", shape: "square" };
    return gov.shapeOf(looks).replace("<svg ", `<svg width="${gov.size(13)}" height="${gov.size(13)}" `) + name;
  }

  // Where names of areas must not stand.
  gov.focusBoxes = function () {
    const one = gov.now && gov.now.focus, rem = gov.rem();
    if (!one) return [];
    const at = function (point) { return gov.leaflet.latLngToContainerPoint([point.lat, point.lon]); }, p = at(one), r = gov.size(22);
    return [[p.x - r, p.y - r, p.x + r, p.y + r], ...one.near.map(function (near) {
      const q = at(near);
      return [q.x - rem / 2, q.y - rem * 0.7, q.x + rem * (1.2 + near.name.length), q.y + rem * 0.7];
    })];
  };

  gov.drawFocus = function () {
    if (!gov.leaflet || !gov.now || !gov.leaflet._loaded) return;
    if (!group) group = L.layerGroup().addTo(gov.leaflet);
    group.clearLayers();
    const one = gov.now.focus;
    if (!one) return;
    const put = function (at, name, html, title) {
      L.marker([at.lat, at.lon], { icon: L.divIcon({ className: "gov-mark " + name, html: html, iconSize: null }), pane: "gov-marks", interactive: false, keyboard: false, title: title, alt: title }).addTo(group);
    };
    for (const near of one.near) {
      const html = camera(near);
      if (html) put(near, "gov-near", html, near.name);
    }
    put(one, "gov-focus", target(one), one.name);
  };
})();
