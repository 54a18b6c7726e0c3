// The map asks for the state of a new address itself, before Dash has begun to: the outlines come while panels are drawn.
// What others did comes by Dash (dashboard/__init__.py, show_map), and so does a whole new page.
// Of the first page even the head has asked (dashboard/map_early.js), before any of these files was there.
(function () {
  "use strict";
  const gov = window.govMap, head = window.govEarly || { answers: {} }, FRESH_MS = 10000;
  let drawn = null;

  // What the head asked for is used once, and only while it is new.
  gov.taken = function (url) {
    const answer = head.answers[url];
    delete head.answers[url];
    return answer && performance.now() < FRESH_MS ? answer : null;
  };

  gov.early = function () {
    if (gov.now || !head.state) return;
    const state = head.state;
    head.state = null;
    state.then(function (told) {
      if (!told || gov.now || performance.now() > FRESH_MS || !document.getElementById("map")) return;
      gov.show(told);
      drawn = JSON.stringify(told);
    }).catch(function () {}); // Dash's own is on its way
  };

  // The state that Dash then sends for the same page says nothing new, once.
  gov.isDrawn = function (next) {
    const same = drawn !== null && performance.now() < FRESH_MS && JSON.stringify(next) === drawn;
    drawn = null;
    return same;
  };

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
