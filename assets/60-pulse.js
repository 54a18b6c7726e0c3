// The city's clock, stamps that get old by themselves, and the bar that says that the server is not heard.
// Both run on the server's time, which each frame tells (60-live.js): a desk's own clock may be wrong.
(function () {
  "use strict";
  const pulse = window.govPulse = { ahead: 0, silent: "" };

  pulse.now = function () { return Date.now() + pulse.ahead; };

  function fresh() { return document.getElementById("freshness"); }

  let told = "", format = null; // a format is dear to make, and is asked for each second
  function zoned(at, box) {
    if (told !== box.dataset.zone) {
      told = box.dataset.zone;
      format = new Intl.DateTimeFormat("en-GB", { timeZone: told, hour: "2-digit", minute: "2-digit", second: "2-digit" });
    }
    return format.format(at);
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
    const clock = box.querySelector(".clock .time"), now = pulse.now();
    if (clock) clock.textContent = zoned(now, box);
    for (const stamp of box.querySelectorAll(".stamp[data-at]")) {
      stamp.classList.toggle("stale", now / 1000 > Number(stamp.dataset.late));
      const age = stamp.querySelector(".since");
      if (age) age.textContent = box.dataset.ago.replace("#", length(now / 1000 - Number(stamp.dataset.at), box.dataset));
    }
  }

  // why: "unheard" (no word from the server) or "away" (it speaks, but its database does not answer).
  pulse.silence = function (why, since) {
    const bar = document.getElementById("unheard"), box = fresh();
    if (!bar || !box) return;
    bar.textContent = box.dataset[why].replace("#", zoned(since, box));
    bar.hidden = false;
    pulse.silent = why;
    document.documentElement.classList.add("unheard");
    window.govSound.deaf(true);
  };

  pulse.heard = function () {
    const bar = document.getElementById("unheard");
    if (bar) bar.hidden = true;
    pulse.silent = "";
    document.documentElement.classList.remove("unheard");
    window.govSound.deaf(false);
  };

  setInterval(tick, 1000);
  // What was drawn anew says the age that it had on the way here.
  document.addEventListener("gov:drawn", tick);
  new MutationObserver(function (_, watch) { if (fresh()) { watch.disconnect(); tick(); } }).observe(document, { childList: true, subtree: true });
})();
