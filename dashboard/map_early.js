// Stands in the head of every page: says its language, by which rooms are measured, and asks for what the map will
// show while the page's scripts are still on their way.
// assets/38-map-ahead.js takes it. What fails here is asked for again by the map itself, which says so then.
(function () {
  "use strict";
  const here = window.location;
  const lang = new URLSearchParams(here.search).get("lang") || "LANGUAGE";
  if (lang) document.documentElement.lang = lang;
  if (!MAPS.includes(here.pathname)) return;
  const json = function (url) {
    return fetch(url, { priority: "high" }).then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); });
  };
  const early = window.govEarly = { answers: {} };
  early.state = json("/map/state" + here.pathname + here.search).then(function (state) {
    for (const url of state ? Object.values(state.urls) : []) {
      if (!url) continue;
      early.answers[url] = json(url);
      early.answers[url].catch(function () { delete early.answers[url]; });
    }
    return state;
  });
  early.state.catch(function () {});
})();
