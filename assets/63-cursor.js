// The time cursor: moves the moment in the address, plays it on, and says on the page itself whether it is live, past or
// a drill. It only sets addresses; what a screen then shows is asked of the server (dashboard/past.py).
// Moments are the city's own time, so they are counted here as if they were UTC.
(function () {
  "use strict";
  const TICK = 2000, MINUTE = 60000, root = document.documentElement;
  const cursor = window.govCursor = { speed: 0, real: {} };
  const KEYS = { ",": -1, ".": 1, "[": -15, "]": 15, "{": -60, "}": 60 };
  let playing = 0, day = null, minute = null;

  function asked() { return new URLSearchParams(window.location.search); }
  function bar() { return document.querySelector("#cursor .cursor"); }
  function read(text) { return Date.parse(text + "Z"); }
  function write(at) { return new Date(at).toISOString().slice(0, at % MINUTE ? 19 : 16); }

  cursor.mode = function () { const query = asked(); return query.get("drill") ? "drill" : query.get("at") ? "past" : "live"; };

  // The moment that it is now in the city: what the server told, and what has passed since.
  function present() {
    const told = bar();
    return told ? Math.floor((read(told.dataset.local) + window.govPulse.now() - 1000 * Number(told.dataset.now)) / 1000) * 1000 : 0;
  }

  // The address is newer than what the server has drawn of it.
  function moment() { const at = asked().get("at"); return at ? read(at) : read(bar().dataset.at || bar().dataset.local); }

  function go(change, kept) {
    const query = asked();
    query.delete("after");
    for (const [key, value] of Object.entries(change)) if (value === null) query.delete(key); else query.set(key, value);
    const to = window.location.pathname + "?" + String(query).replace(/%3A/g, ":").replace(/%7E/g, "~").replace(/%2C/g, ",");
    window.history[kept ? "replaceState" : "pushState"]({}, "", to);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function live() { stop(); go({ at: null, drill: null }); }

  function set(at, kept) {
    if (Number.isNaN(at)) return;
    if (at >= present()) return live();
    go({ at: write(at), drill: null }, kept);
  }

  function stop() { clearInterval(playing); playing = 0; cursor.speed = 0; mark(); }

  function play(speed) {
    stop();
    cursor.speed = speed;
    playing = setInterval(function () {
      if (cursor.mode() !== "past") return stop();
      // A server that is still busy with the last moment is not asked for the next one.
      if (!document.hidden && window.govLive.asked < 6) set(moment() + speed * TICK, true);
    }, TICK);
    mark();
  }

  function drill() {
    const speed = cursor.speed || 60, at = moment();
    stop();
    go({ drill: `${write(at)}~${Math.floor(window.govPulse.now() / 1000)}x${speed}`, at: null });
  }

  function mark() {
    for (const button of document.querySelectorAll("#cursor [data-cursor=play]")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.speed) === cursor.speed));
    }
  }

  function field(type, box) {
    const made = document.createElement("input");
    made.type = type;
    made.setAttribute("aria-label", box.dataset.label);
    if (type === "range") { made.min = 0; made.max = 1439; made.step = 1; }
    made.addEventListener("change", function () {
      stop();
      if (day.value) set(read(day.value + "T00:00") + Number(minute.value) * MINUTE);
    });
    return made;
  }

  // The fields live on over drawings, so that a hand on the slider keeps it.
  function fill() {
    const at = document.querySelector("#cursor .day"), on = document.querySelector("#cursor .minute");
    if (!at || !on) return mark();
    day = day || field("date", at);
    minute = minute || field("range", on);
    for (const [box, one, value] of [[at, day, at.dataset.day], [on, minute, on.dataset.minute]]) {
      if (box.firstChild === one) continue;
      const held = document.activeElement === one || one.dataset.held === "1";
      box.replaceChildren(one);
      if (held) one.focus({ preventScroll: true });
      one.value = value;
    }
    mark();
  }

  function shout() {
    const told = document.querySelector("#real [data-real]"), ids = told ? told.dataset.real.split(" ") : [];
    const fresh = ids.filter(function (id) { return !cursor.real[id]; });
    cursor.real = Object.fromEntries(ids.map(function (id) { return [id, 1]; }));
    if (fresh.length) window.govSound.play("alarm").catch(function () { document.dispatchEvent(new CustomEvent("gov:mute")); });
  }

  function look() { root.dataset.when = cursor.mode(); }

  document.addEventListener("focusin", function (event) { for (const one of [day, minute]) if (one) one.dataset.held = one === event.target ? "1" : ""; });
  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-cursor]");
    if (!button) return;
    const what = button.dataset.cursor;
    if (what === "begin") set(Math.floor(present() / MINUTE) * MINUTE - 60 * MINUTE);
    else if (what === "step") { stop(); set(moment() + Number(button.dataset.by) * MINUTE); }
    else if (what === "play") play(Number(button.dataset.speed));
    else if (what === "stop") stop();
    else if (what === "drill") drill();
  });

  document.addEventListener("keydown", function (key) {
    if (/^(INPUT|SELECT|TEXTAREA)$/.test(key.target.tagName) || key.ctrlKey || key.metaKey || key.altKey || !bar()) return;
    const mode = cursor.mode();
    if (mode !== "live" && key.key.toLowerCase() === "l") live();
    else if (mode === "past" && KEYS[key.key]) { stop(); set(moment() + KEYS[key.key] * MINUTE); }
    else if (mode === "past" && key.key.toLowerCase() === "p") cursor.speed ? stop() : play(60);
    else return;
    key.preventDefault();
  });

  window.addEventListener("_dashprivate_pushstate", look);
  window.addEventListener("popstate", look);
  new MutationObserver(function () { fill(); shout(); }).observe(document, { childList: true, subtree: true });
  look();
})();
