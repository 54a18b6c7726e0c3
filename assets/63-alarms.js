// Alarms by keyboard, and their sound. J/K walk the list and then the shelf, letters press the buttons of the chosen line, N goes
// to what is near. A new alarm sounds by its level; the first press of the test lets the browser make sound at all.
(function () {
  "use strict";
  const KEYS = { a: "ack", c: "case", r: "real", f: "false", s: "shelve" };
  const TONES = [[880, 660, 880, 660, 880, 660], [880, 660, 880], [660, 660], [520]];
  let sound = null, newest = null, chosen = "", kind = "", spot = 0;

  function play(level) {
    sound = sound || new AudioContext();
    sound.resume();
    (TONES[level] || TONES[3]).forEach(function (pitch, i) {
      const tone = sound.createOscillator(), loud = sound.createGain(), at = sound.currentTime + i * 0.32;
      tone.frequency.value = pitch;
      loud.gain.setValueAtTime(0.25, at);
      loud.gain.exponentialRampToValueAtTime(0.001, at + 0.28);
      tone.connect(loud).connect(sound.destination);
      tone.start(at);
      tone.stop(at + 0.3);
    });
    document.documentElement.dataset.sounded = String(Date.now());
  }

  const LINE = ".alarm-item, .shelf-item";
  function lines() { return [...document.querySelectorAll(LINE)]; }

  function walk(step) {
    const all = lines(), at = all.findIndex(isChosen);
    // One that has left the list leaves its place to the next.
    const to = at >= 0 ? at + step : chosen && step > 0 ? spot : chosen ? spot - 1 : 0;
    const next = all[Math.max(0, Math.min(all.length - 1, to))];
    if (next) next.focus();
  }

  function isChosen(one) { return one.dataset.alarm === chosen && one.classList.contains(kind); }

  // The list is drawn anew around whoever works in it, and a line that was one alarm's becomes another's. The focus belongs to the
  // alarm: it goes along, or it is gone. A key must never act on what came into the place of what was chosen.
  function hold() {
    const on = document.activeElement, line = on && on.closest && on.closest(LINE);
    if (!line || !chosen || isChosen(line)) return;
    const mine = lines().find(isChosen);
    if (mine) mine.focus();
    if (document.activeElement === on) on.blur();
  }

  function press(box, act) {
    const button = [...box.querySelectorAll("[data-act]")].find(function (one) {
      const told = JSON.parse(one.dataset.act);
      return told.do === "alarm" && (told.act === act || act === "shelve" && told.act === "unshelve");
    });
    if (button) button.click();
    return button;
  }

  document.addEventListener("focusin", function (event) {
    const line = event.target.closest && event.target.closest(LINE);
    if (!line) return;
    chosen = line.dataset.alarm;
    kind = line.classList[0];
    spot = lines().indexOf(line);
  });

  document.addEventListener("keydown", function (key) {
    if (key.ctrlKey || key.metaKey || key.altKey || key.isComposing || /^(INPUT|SELECT|TEXTAREA)$/.test(key.target.tagName)) return;
    const name = key.key.toLowerCase(), card = document.querySelector(".thing-card"), any = document.querySelector(".card");
    if (name === "n" && any) {
      const near = any.querySelector("a.near");
      if (near) { key.preventDefault(); near.focus(); near.scrollIntoView({ block: "nearest" }); }
      return;
    }
    if (!document.querySelector(".scene-alarms")) return;
    if (name === "j" || name === "k") { key.preventDefault(); return walk(name === "j" ? 1 : -1); }
    const box = card || document.activeElement.closest(LINE);
    if (KEYS[name] && box && press(box, KEYS[name])) return key.preventDefault();
    if (key.key === "Enter" && document.activeElement.matches(LINE)) document.activeElement.querySelector("a.drill").click();
  });

  new MutationObserver(hold).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-alarm"] });

  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-act]");
    if (button && JSON.parse(button.dataset.act).do === "alarm-sound") play(1);
  });

  new MutationObserver(function () {
    const siren = document.getElementById("alarm-siren");
    if (!siren) { newest = null; return; }
    const told = siren.dataset.new || "";
    // What was there when the page came is not news.
    if (newest !== null && told > newest && sound) play(Number(siren.dataset.worst));
    newest = told;
  }).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["data-new"] });

  // A still is asked for again while its card is open, and says how old it is. The one before stays until the next has
  // come; when the view is over, or nobody may look any more, none stays.
  function again() {
    for (const still of document.querySelectorAll("img[data-again]")) {
      const told = still.parentElement.querySelector(".still-age"), at = Number(still.dataset.at);
      if (told && at) {
        const s = Math.max(0, Math.round((Date.now() + (window.govPulse.ahead || 0) - at) / 1000));
        const zone = (document.getElementById("freshness") || { dataset: {} }).dataset.zone;
        told.textContent = still.dataset.age.replace("{at}", new Date(at).toLocaleTimeString("sv", { timeZone: zone })).replace("{n}", s);
        told.classList.toggle("act", s > 30);
      }
      if (still.dataset.over || still.closest("[hidden]")) continue;
      fetch(`${still.dataset.from}&t=${Date.now()}`, { cache: "no-store" }).then(function (answer) {
        if (!answer.ok) {
          if (answer.status < 500) { still.dataset.over = "1"; still.removeAttribute("src"); if (told) told.textContent = still.dataset.ended; }
          return null;
        }
        const taken = Date.parse(answer.headers.get("X-Still"));
        return answer.blob().then(function (picture) {
          const before = still.src;
          still.src = URL.createObjectURL(picture);
          still.dataset.at = taken || "";
          if (told && !taken) told.textContent = "";
          if (before.startsWith("blob:")) URL.revokeObjectURL(before);
        });
      }).catch(function () { /* what is away for a moment comes with the next one; its age says so */ });
    }
  }
  setInterval(again, 5000);
})();
