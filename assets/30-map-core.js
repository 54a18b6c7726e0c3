// The map's other half begins here: what its files share. The address is the state: a click only changes
// the address (go), and the state that follows is drawn. window.govMap is the one name.
(function () {
  "use strict";

  const gov = {
    leaflet: null, // the Leaflet map
    now: null, // the state that dashboard/map_state.py gave
    values: null, // classes and values of the shown layer
    frame: null, // outlines of the level above the shown one
    grid: null, // id tiles
    crisp: null, // outlines of the shown areas
    markKind: "cases",
    painted: 0,
  };

  gov.go = function (change) {
    const query = new URLSearchParams(window.location.search);
    query.delete("after");
    for (const [key, value] of Object.entries(change)) {
      if (value === "" || value === null) query.delete(key); else query.set(key, value);
    }
    window.dash_clientside.set_props("url", { search: "?" + query.toString() });
  };

  gov.drill = function (code) { if (code !== gov.now.place) gov.go({ place: code, level: "" }); };

  gov.up = function () {
    if (gov.now && (gov.now.case || gov.now.thing)) return gov.go({ case: "", thing: "" });
    if (gov.now && !gov.now.top) gov.go({ place: gov.now.up, level: "" });
  };

  // The map's own come before the panels' in the queue of the browser's few connections.
  gov.fetchJson = function (url) {
    const early = gov.taken(url);
    if (early) return early;
    return fetch(url, { priority: "high" }).then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); });
  };

  gov.escape = function (text) {
    const safe = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
    return String(text).replace(/[&<>"']/g, function (c) { return safe[c]; });
  };

  gov.rem = function () { return parseFloat(getComputedStyle(document.documentElement).fontSize); };

  // On the wall the smallest text is one rem, and a mark's number is text (11 units high).
  gov.far = function () { return Boolean(document.querySelector(".scene-wall")); };

  // Lines and marks are drawn in pixels; a wall's pixels are smaller.
  gov.size = function (pixels) { return pixels * (gov.far() ? gov.rem() / 11 : Math.max(1, gov.rem() / 16)); };

  gov.token = function (name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); };

  // Columns come as bytes (dashboard/columns.py).
  gov.bytes = function (text) { return Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); }).buffer; };

  // A column of few different values; what is not known is NaN.
  gov.column = function (told) {
    const kind = { 8: Uint8Array, 16: Uint16Array, 32: Uint32Array }[told.bits], at = new kind(gov.bytes(told.at)), out = new Float64Array(at.length);
    const values = told.values.map(function (one) { return one === null ? NaN : one; });
    for (let i = 0; i < at.length; i++) out[i] = values[at[i]];
    return out;
  };

  gov.say = function (value) {
    const told = gov.values;
    if (value === undefined || value !== value) return gov.now.words.unknown;
    if (told.unit === "%") return (value * 100).toFixed(1) + "%";
    const text = Math.abs(value) < 100 && !Number.isInteger(value) ? value.toFixed(1) : Math.round(value).toLocaleString("en-US");
    return text + " " + told.unit_word;
  };

  gov.classOf = function (dense) { return (gov.values && gov.values.by_number[gov.values.bytes[dense]]) || null; };

  gov.tip = function (name, dense) {
    const box = document.getElementById("map-tip");
    if (!box || !gov.values) return;
    if (!name) { box.textContent = ""; box.className = ""; return; }
    const one = gov.classOf(dense), n = gov.values.n[dense], safe = gov.escape;
    box.className = "on";
    // A neighbour of the place that is looked at has a name here and no value.
    if (gov.values.plain || !one) { box.textContent = name; return; }
    box.innerHTML = `<b>${safe(name)}</b> ${safe(gov.values.title)} ${safe(gov.say(gov.values.values[dense]))}` +
      (n !== undefined && gov.values.unit !== "n" ? ` · n=${n}` : "") +
      (one ? ` · ${one.act ? "▲ " : ""}${safe(one.word)}` : "");
  };

  gov.failed = function () {
    const box = document.getElementById("map-tip");
    if (box && gov.now) { box.className = "on failed"; box.textContent = "⚠ " + gov.now.words.failed; }
  };

  window.govMap = Object.assign(gov, { state: function () { return gov.now; }, map: function () { return gov.leaflet; } });
})();
