// Live pictures. The server draws a box for each view that is open; what plays in it is made here, on a click or at once,
// and moved along when the panel around it is drawn anew, so that nothing begins again every few seconds.
// When the view is over, or its box has left the page, the picture ends.
(function () {
  "use strict";
  const playing = new Map(), ended = new Set();

  function stop(key) {
    const one = playing.get(key);
    if (!one) return;
    playing.delete(key);
    one.node.remove();
    one.node.removeAttribute("src");
    if (one.node.load) one.node.load();
  }

  function say(box, text) {
    const told = box.querySelector(".live-told");
    if (told && told.textContent !== text) told.textContent = text;
  }

  // What stands in a frame is another's and cannot be read; our own words can, and mean that there is no page.
  function missed(node) {
    try { return node.contentDocument.documentElement.dataset.gov === "none"; } catch (other) { return false; }
  }

  // A page plays without this server, so whether it still may is asked: a view can be ended, or its right be taken, elsewhere.
  function ask(key, one) {
    if (one.node.tagName !== "IFRAME" || one.asked || Date.now() - (one.askedAt || 0) < 3000) return;
    one.asked = true;
    one.askedAt = Date.now();
    fetch(key.replace("/camera/live/", "/camera/held/"), { cache: "no-store" })
      .then(function (answer) { if (answer.status === 401 || answer.status === 403) one.over = true; })
      .catch(function () { /* a server that is away is said by the bar above; the view has its own end */ })
      .finally(function () { one.asked = false; });
  }

  function start(box) {
    const key = box.dataset.live, kind = box.dataset.kind;
    const node = document.createElement(kind === "hls" ? "video" : kind === "page" ? "iframe" : "img");
    const one = { node: node, seen: false, bad: false, tries: 0 };
    node.className = "live";
    if (kind === "hls") {
      node.muted = true;
      node.autoplay = true;
      node.playsInline = true;
      node.disablePictureInPicture = true;
      node.addEventListener("loadeddata", function () { one.seen = true; one.bad = false; });
      // A gateway that is asked for the first time has nothing yet; a few looks later it has.
      node.addEventListener("error", function () {
        one.bad = true;
        if (one.tries++ < 5) setTimeout(function () { if (playing.get(key) === one) { node.src = key; node.play().catch(function () {}); } }, 2000);
      });
      node.setAttribute("aria-label", box.dataset.name);
    } else {
      node.addEventListener("load", function () {
        one.seen = true;
        one.bad = kind === "page" && missed(node);
        // A gateway that starts, or a camera that is invited first, is there a few looks later.
        if (one.bad && one.tries++ < 5) setTimeout(function () { if (playing.get(key) === one) node.src = key; }, 4000);
      });
      node.addEventListener("error", function () { one.bad = true; });
      if (kind === "page") {
        node.title = box.dataset.name;
        node.referrerPolicy = "no-referrer";
        node.allow = "autoplay";
        // It may run and keep its own state, but neither lead the whole screen away nor fill it, under no mark of ours.
        node.setAttribute("sandbox", "allow-scripts allow-same-origin");
      } else node.alt = box.dataset.name;
    }
    playing.set(key, one);
    node.src = key;
    return one;
  }

  function now() { return (window.govPulse ? window.govPulse.now() : Date.now()) / 1000; }

  function place(box) {
    const key = box.dataset.live;
    let one = playing.get(key);
    if (one) ask(key, one);
    if (one && one.over) ended.add(key);
    const over = now() >= Number(box.dataset.until) || ended.has(key);
    box.classList.toggle("over", over);
    if (over) {
      stop(key);
      say(box, box.dataset.ended);
    } else if (!one && box.dataset.atOnce === "1" && !box.closest("[hidden]")) {
      one = start(box);
    }
    const room = box.querySelector(".live-picture"), button = box.querySelector("[data-live-go]");
    if (button) button.hidden = over || Boolean(one);
    room.hidden = !one || over;
    box.querySelector(".live-mark").hidden = !one || over;
    if (!one || over) return;
    if (one.node.parentNode !== room) {
      room.replaceChildren(one.node);
      if (one.node.play) one.node.play().catch(function () {});
    }
    say(box, one.bad ? box.dataset.none : one.seen || box.dataset.kind === "mjpeg" ? "" : box.dataset.waits);
    box.dataset.seen = one.seen ? "1" : "0";
  }

  function all() {
    const boxes = document.querySelectorAll("[data-live]"), held = new Set();
    for (const box of boxes) { held.add(box.dataset.live); place(box); }
    return held;
  }

  // The mark says the city's time, over the whole picture, again each second.
  function mark() {
    const box = document.getElementById("freshness"), zone = box ? box.dataset.zone : undefined;
    const time = new Intl.DateTimeFormat("sv", { timeZone: zone, dateStyle: "short", timeStyle: "medium" }).format(now() * 1000);
    for (const one of document.querySelectorAll("[data-live]")) {
      const text = `${one.dataset.mark} ${time}`, over = one.querySelector(".live-mark");
      if (over.children.length !== 6) over.replaceChildren(...Array.from({ length: 6 }, function () { return document.createElement("span"); }));
      for (const part of over.children) part.textContent = text;
    }
  }

  // One after the other: what is not its turn is hidden, and does not play.
  function turn() {
    for (const round of document.querySelectorAll("[data-turn=each]")) {
      const boxes = [...round.querySelectorAll(".eye")], dwell = Number(round.dataset.dwell) || 10;
      const at = boxes.length ? Math.floor(now() / dwell) % boxes.length : 0;
      boxes.forEach(function (one, i) {
        const away = i !== at;
        if (one.hidden === away) return;
        one.hidden = away;
        const live = one.querySelector("[data-live]");
        if (live && away) stop(live.dataset.live);
      });
    }
  }

  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-live-go]");
    if (button) { start(button.closest("[data-live]")); all(); }
  });
  document.addEventListener("gov:drawn", function () { turn(); all(); mark(); });
  setInterval(function () {
    turn();
    mark();
    const held = all();
    for (const key of [...playing.keys()]) if (!held.has(key)) stop(key);
  }, 1000);
})();
