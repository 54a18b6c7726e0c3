// The map asks for the state of a new address itself, before Dash has begun to: the outlines come while panels are drawn.
// What others did comes by Dash (dashboard/__init__.py, show_map), and so does a whole new page.
(function () {
  "use strict";
  const gov = window.govMap;
  let asked = window.location.search, path = window.location.pathname;

  function look() {
    const to = window.location.search, moved = path !== window.location.pathname;
    if (to === asked && !moved) return;
    asked = to;
    path = window.location.pathname;
    if (moved || !gov.leaflet || !document.getElementById("map")) return;
    gov.fetchJson("/map/state" + path + to)
      .then(function (state) { if (state && to === window.location.search) gov.show(state); })
      .catch(gov.failed);
  }

  window.addEventListener("_dashprivate_pushstate", look);
  window.addEventListener("popstate", look);
})();
