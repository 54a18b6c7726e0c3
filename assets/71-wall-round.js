// The wall goes round, is pulled by what is serious, and goes on where it was. It only sets addresses: the stop, the
// pause and what pulled it stand in the address, so a wall that is loaded anew goes on as well.
(function () {
  "use strict";
  const TICK = 250;
  const round = window.govRound = { stops: [], calls: [], hold: 60000, left: null, done: {} };
  let at = "", last = Date.now(), sounded = "";

  try { Object.assign(round, JSON.parse(window.sessionStorage.getItem("gov-round") || "{}")); } catch (bad) { round.done = {}; }
  function keep() { window.sessionStorage.setItem("gov-round", JSON.stringify({ left: round.left, done: round.done })); }

  function asked() { return new URLSearchParams(window.location.search); }

  function go(search) {
    window.history.replaceState({}, "", window.location.pathname + search);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function read() {
    const box = document.querySelector(".wall-call");
    if (!box || at === box.dataset.round + box.dataset.calls) return box;
    at = box.dataset.round + box.dataset.calls;
    round.stops = JSON.parse(box.dataset.round);
    round.calls = JSON.parse(box.dataset.calls);
    round.hold = 1000 * Number(box.dataset.hold);
    // What is over may come again later and then pulls again.
    for (const id of Object.keys(round.done)) if (!round.calls.some(function (one) { return one.id === id; })) delete round.done[id];
    return box;
  }

  function stop() { return Math.min(Number(asked().get("stop")) || 0, round.stops.length - 1); }

  // A stop's address with what a hand may have changed meanwhile: whether the wall rests.
  function to(search, more) {
    const query = new URLSearchParams(search), cursor = asked();
    // The round goes on at the moment at which the wall is, not at that of its drawing.
    for (const key of ["at", "drill"]) if (cursor.get(key)) query.set(key, cursor.get(key)); else query.delete(key);
    for (const [key, value] of Object.entries(more || {})) if (value === null) query.delete(key); else query.set(key, value);
    return "?" + query;
  }

  function resting() { return asked().get("pause") === "1" ? "1" : null; }

  function back() {
    const query = asked(), id = query.get("pull");
    if (id) round.done[id] = 1;
    round.since = null;
    keep();
    if (round.stops.length) return go(to(round.stops[stop()].search, { pause: resting() }));
    for (const key of ["pull", "case", "thing", "place"]) query.delete(key);
    go("?" + query);
  }

  function step(by) {
    if (!round.stops.length) return;
    round.left = null;
    keep();
    const next = (stop() + by + round.stops.length) % round.stops.length;
    go(to(round.stops[next].search, { pause: resting() }));
  }

  function pull(call) {
    round.since = Date.now();
    keep();
    go(to(call.search, { pause: resting(), stop: asked().get("stop") }));
    if (sounded !== call.id) { sounded = call.id; window.govSound.play("alarm").catch(function () { document.dispatchEvent(new CustomEvent("gov:mute")); }); }
  }

  function look() {
    const now = Date.now(), passed = Math.min(now - last, 5 * TICK), query = asked();
    last = now;
    if (!document.querySelector(".scene-wall") || !read()) return;
    // A screen that hears nothing goes nowhere: what it would go to it could not read. An event that holds it holds it on.
    if (window.govPulse.silent) {
      if (round.since) round.since += passed;
      return;
    }
    const pulled = query.get("pull"), next = round.calls.find(function (one) { return !round.done[one.id] && one.id !== pulled; });
    if (pulled) {
      const still = round.calls.some(function (one) { return one.id === pulled; });
      if (!round.since) round.since = now;
      // One at a time: each holds the wall until somebody acted on it, somebody lets it go on, or its time is over.
      if (!still || now - round.since > round.hold) back();
      return;
    }
    if (next) return pull(next);
    if (!round.stops.length || query.get("pause") === "1") return;
    if (round.left === null || round.left === undefined) round.left = 1000 * round.stops[stop()].dwell;
    round.left -= passed;
    if (round.left <= 0) step(1);
  }

  function say() {
    const box = document.querySelector(".wall-call .sound"), told = window.govSound.tested, from = document.querySelector(".wall-call");
    if (!box) return;
    const word = from.dataset[told ? told.told : "untested"].replace("#", told ? new Date(told.at).toTimeString().slice(0, 5) : "");
    if (box.textContent !== word) box.textContent = word;
    box.classList.toggle("warn", Boolean(told) && told.told !== "ok");
  }

  document.addEventListener("keydown", function (key) {
    if (!document.querySelector(".scene-wall") || /^(INPUT|SELECT|TEXTAREA)$/.test(key.target.tagName) || key.ctrlKey || key.metaKey || key.altKey) return;
    const query = asked();
    if (key.key === " ") query.get("pause") === "1" ? query.delete("pause") : query.set("pause", "1"), go("?" + query);
    else if (key.key === "ArrowRight") query.get("pull") ? back() : step(1);
    else if (key.key === "ArrowLeft") query.get("pull") ? back() : step(-1);
    else if ((key.key === "Enter" && key.target === document.body || key.key === "Escape") && query.get("pull")) back();
    else if (key.key.toLowerCase() === "t") window.govSound.test();
    else return;
    key.preventDefault();
    key.stopImmediatePropagation();
  }, true);

  document.addEventListener("gov:drawn", function () { read(); say(); });
  document.addEventListener("gov:sound", say);
  document.addEventListener("gov:mute", function () { window.govSound.tested = { told: "blocked", at: Date.now() }; say(); });
  setInterval(look, TICK);
})();
