// The page's pulse: the city's clock, stamps that get old by themselves, and whether the server is heard.
// The server is asked for its boot id and the age of its data; another boot reloads the page, new data
// makes it draw again, silence is said at the top of the page.
(function () {
  "use strict";
  const EVERY = 8000, PATIENCE = 4000, AGAIN = 1500;
  let boot = null, data = null, misses = 0, heardAt = Date.now(), timer = 0;

  function fresh() { return document.getElementById("freshness"); }

  function zoned(at, box) {
    return new Intl.DateTimeFormat("en-GB", { timeZone: box.dataset.zone, hour: "2-digit", minute: "2-digit", second: "2-digit" }).format(at);
  }

  function length(seconds, told) {
    if (seconds < 60) return told.s.replace("#", Math.max(0, Math.floor(seconds)));
    if (seconds < 3600) return told.min.replace("#", Math.round(seconds / 60));
    if (seconds < 72 * 3600) return told.h.replace("#", (seconds / 3600).toFixed(1));
    return told.d.replace("#", Math.round(seconds / 86400).toLocaleString("en-US"));
  }

  function tick() {
    const box = fresh();
    if (!box) return;
    document.documentElement.lang = box.dataset.lang;
    const clock = box.querySelector(".clock .time"), now = Date.now();
    if (clock) clock.textContent = zoned(now, box);
    for (const stamp of box.querySelectorAll(".stamp[data-at]")) {
      stamp.classList.toggle("stale", now / 1000 > Number(stamp.dataset.late));
      const age = stamp.querySelector(".since");
      if (age) age.textContent = box.dataset.ago.replace("#", length(now / 1000 - Number(stamp.dataset.at), box.dataset));
    }
  }

  function silence() {
    const bar = document.getElementById("unheard"), box = fresh();
    if (!bar || !box) return;
    bar.textContent = box.dataset.unheard.replace("#", zoned(heardAt, box));
    bar.hidden = false;
    document.documentElement.classList.add("unheard");
  }

  function heard(told) {
    heardAt = Date.now();
    misses = 0;
    const bar = document.getElementById("unheard"), held = JSON.stringify(told.sources.map(function (s) { return [s.id, s.as_of, s.state]; }));
    if (boot && told.boot !== boot) return window.location.reload();
    boot = told.boot;
    if (bar) bar.hidden = true;
    document.documentElement.classList.remove("unheard");
    // A form that somebody fills in is not drawn over; the news waits until it is closed.
    if (document.querySelector(".act-form")) return;
    if (data !== null && held !== data) window.dash_clientside.set_props("pulse", { data: held });
    data = held;
  }

  function listen() {
    clearTimeout(timer);
    const stop = new AbortController(), late = setTimeout(function () { stop.abort(); }, PATIENCE);
    fetch("/healthz", { signal: stop.signal, cache: "no-store" })
      .then(function (answer) { if (!answer.ok) throw new Error(answer.status); return answer.json(); })
      .then(heard)
      .catch(function () { misses += 1; if (misses > 1) silence(); })
      .finally(function () { clearTimeout(late); timer = setTimeout(listen, misses ? AGAIN : EVERY); });
  }

  setInterval(tick, 1000);
  // What was drawn anew says the age that it had on the way here.
  document.addEventListener("gov:drawn", tick);
  // Dash changes the address without loading a page: whoever clicks must learn at once that nobody hears it.
  window.addEventListener("_dashprivate_pushstate", function () { setTimeout(listen, 50); });
  window.addEventListener("online", listen);
  window.addEventListener("offline", listen);
  new MutationObserver(function (_, watch) { if (fresh()) { watch.disconnect(); tick(); } }).observe(document, { childList: true, subtree: true });
  listen();
})();
