// Hears the server (dashboard/live.py) and lets what changed be drawn anew.
// A frame is a state: after a restart, an hour without network or a laptop's sleep the next one is compared with what
// each panel was drawn from, so nothing has to be replayed. The watchdog trusts no transport: a beat that does not come,
// or does not move on, means that the server is not heard, however open its connection is.
(function () {
  "use strict";
  const LOOK = 1000, PATIENCE = 4000, LONGEST = 5000, MINUTE = 60000, FORGET = 5000, SLEPT = 15000, RETRY = 60000, DRILL = 2000;
  const live = window.govLive = { frame: null, over: "", heardAt: Date.now(), asked: 0, count: { frames: 0, sockets: 0, polls: 0, draws: 0 } };
  const drawn = new WeakMap();
  let before = null, socket = null, opening = 0, fails = 0, asking = false, misses = 0, stale = false, looked = Date.now(), forgot = looked, planned = 0;

  function beat() { return 1000 * (live.frame ? live.frame.beat : 5); }

  function heard(frame, over) {
    const last = live.frame, now = Date.now();
    // An old answer that somebody kept on the way is no word from the server.
    if (last && last.boot === frame.boot && frame.at < last.at) return;
    if (last && last.build !== frame.build && !document.querySelector(".act-form")) return window.location.reload();
    if (last && (last.boot !== frame.boot || now - live.heardAt > 2 * beat())) stale = true;
    before = last;
    live.frame = Object.assign({}, frame, last && last.build !== frame.build ? { build: last.build } : {});
    live.over = over;
    live.heardAt = now;
    live.count.frames += 1;
    misses = 0;
    window.govPulse.ahead = Math.abs(1000 * frame.at - now) > 1500 ? 1000 * frame.at - now : 0;
    if (frame.away) window.govPulse.silence("away", window.govPulse.now()); else if (window.govPulse.silent) window.govPulse.heard();
    document.dispatchEvent(new CustomEvent("gov:frame", { detail: live.frame }));
    plan();
  }

  // What each panel was drawn from. A panel that is new was asked for after the frame before this one.
  function held(box) {
    if (!drawn.has(box)) drawn.set(box, Object.assign({ at: Date.now(), extra: 0 }, before ? { n: before.n, cases: before.cases } : { n: -1, cases: -1, at: 0 }));
    return drawn.get(box);
  }

  function wait(box, now) {
    const was = held(box), frame = live.frame, key = box.dataset.hears, when = document.documentElement.dataset.when;
    // What happens now does not draw a moment of the past again; a drill goes on by its own clock.
    if (when === "drill" && !box.dataset.always) return was.at + DRILL - now;
    if (when === "past" && !box.dataset.always) return MINUTE;
    if (was.n === -1) return was.at + LOOK - now;
    const since = now - was.at - was.extra;
    let left = MINUTE - since;
    if (frame.n !== was.n) left = Math.min(left, 1000 * box.dataset.calm - since);
    if (frame[key] !== was[key]) left = Math.min(left, 1000 * box.dataset.pace - since);
    return left;
  }

  function plan() {
    clearTimeout(planned);
    planned = 0;
    // A form that somebody fills in is not drawn over, and nobody sees a page behind another.
    if (!live.frame || live.frame.away || document.hidden || document.querySelector(".act-form") || !window.dash_clientside || !window.dash_clientside.set_props) return;
    const now = Date.now(), boxes = [...document.querySelectorAll("[data-news]")];
    if (stale) for (const box of boxes) Object.assign(held(box), { n: -1, at: 0 });
    stale = false;
    let next = MINUTE;
    for (const box of boxes) {
      // Nor is a panel in whose form somebody writes, or in which a gateway's page plays: it would begin again.
      const at = document.activeElement;
      if (box.querySelector("iframe.live") || at && at.closest(".report-form") && box.contains(at)) { next = Math.min(next, 1000); continue; }
      const left = wait(box, now);
      if (left > 0) { next = Math.min(next, left); continue; }
      // A slow server is asked less, not more.
      if (live.asked > (Number(box.dataset.pace) < 1 ? 3 : 12)) { next = Math.min(next, 200); continue; }
      drawn.set(box, { n: live.frame.n, cases: live.frame.cases, at: now, extra: 1000 * live.frame.spread * Math.random() });
      live.count.draws += 1;
      window.dash_clientside.set_props({ kind: "news", name: box.dataset.news }, { data: `${live.frame.boot} ${live.frame.n} ${live.frame.cases} ${now}` });
    }
    planned = setTimeout(plan, Math.max(20, next));
  }

  function drop() {
    const old = socket;
    socket = null;
    if (old) old.close();
  }

  function connect() {
    clearTimeout(opening);
    drop();
    const mine = socket = new WebSocket(window.location.origin.replace(/^http/, "ws") + "/live");
    live.count.sockets += 1;
    mine.onmessage = function (said) {
      if (mine !== socket) return;
      fails = 0;
      heard(JSON.parse(said.data), "stream");
    };
    mine.onclose = function () {
      if (mine !== socket) return;
      socket = null;
      fails += 1;
      // Why it was closed is not told: the plain question leads to the sign-in page when there is no session.
      ask();
      opening = setTimeout(connect, fails > 5 && live.over === "poll" ? RETRY : Math.min(LONGEST, 250 * Math.pow(2, fails)) * (0.5 + Math.random()));
    };
  }

  function ask() {
    if (asking) return;
    asking = true;
    live.count.polls += 1;
    const stop = new AbortController(), late = setTimeout(function () { stop.abort(); }, PATIENCE);
    fetch("/live", { signal: stop.signal, cache: "no-store" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
      .then(function (frame) { heard(frame, "poll"); })
      .catch(function () { misses += 1; if (misses > 1) window.govPulse.silence("unheard", live.heardAt); })
      .finally(function () { clearTimeout(late); asking = false; });
  }

  // Dash's renderer keeps every change of every input for an "undo" that no page of ours has, and every answer that
  // failed for a window that only its developers see: a wall would grow for ever, and by megabytes in a burst.
  const KEPT = 5, watched = new WeakSet();
  function trim(store, most) {
    const { history, error } = store.getState();
    for (const kept of [history && history.past, error && error.frontEnd, error && error.backEnd]) if (kept && kept.length > most) kept.length = 0;
  }

  function forget() {
    for (const store of window.dash_stores || []) {
      trim(store, 0);
      if (watched.has(store)) continue;
      watched.add(store);
      store.subscribe(function () { trim(store, KEPT); });
    }
    performance.clearResourceTimings();
    performance.clearMeasures();
    performance.clearMarks();
  }

  function look() {
    const now = Date.now(), slept = now - looked > SLEPT, quiet = now - live.heardAt;
    looked = now;
    // After a sleep the connection may look open and be dead.
    if (slept) { stale = true; fails = 0; connect(); ask(); }
    if (quiet > 1.5 * beat() || (live.over === "poll" && quiet > 2000)) ask();
    if (quiet > 2.4 * beat()) {
      window.govPulse.silence("unheard", live.heardAt);
      if (socket && socket.readyState === 1) { fails = 0; connect(); }
    }
    if (!planned) plan();
    if (now - forgot > FORGET) { forgot = now; forget(); }
  }

  setInterval(look, LOOK);
  document.addEventListener("visibilitychange", function () { if (!document.hidden) { look(); plan(); } });
  // An answer that did not come leaves a panel with what it showed before.
  document.addEventListener("gov:lost", function () { setTimeout(function () { stale = true; }, LOOK); });
  // Dash changes the address without loading a page: whoever clicks must learn at once that nobody hears it.
  window.addEventListener("_dashprivate_pushstate", function () { if (window.govPulse.silent || live.over === "poll") setTimeout(ask, 50); });
  window.addEventListener("online", function () { fails = 0; connect(); ask(); });
  window.addEventListener("offline", ask);
  window.addEventListener("pagehide", drop);
  window.addEventListener("pageshow", function (event) { if (event.persisted) { stale = true; connect(); } });
  connect();
})();
