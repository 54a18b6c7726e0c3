// The wall's type: its smallest text is 20 arc minutes high where its readers are. One rem is that text; everything on
// the wall is given in it, so a wall that is read from further away shows less, never smaller.
(function () {
  "use strict";
  // Height that 20 arc minutes have at one metre; share of the type's size that its capitals and digits are high.
  const HEIGHT = 2 * Math.tan(20 / 60 / 2 * Math.PI / 180), CAPITAL = 0.733;
  const root = document.documentElement;

  function size() {
    const wall = document.querySelector(".scene-wall");
    root.classList.toggle("walled", Boolean(wall));
    if (!wall) { root.style.fontSize = ""; return; }
    const asked = new URLSearchParams(window.location.search), told = function (key) { return Number(asked.get(key)) || Number(wall.dataset[key]); };
    const rem = Math.max(8, Math.ceil(10 * told("far") * HEIGHT * window.innerWidth / told("wide") / CAPITAL) / 10);
    const across = window.innerWidth / rem, down = window.innerHeight / rem;
    root.style.fontSize = rem + "px";
    root.classList.toggle("kiosk", asked.get("kiosk") === "1");
    // How many smallest letters have room decides what is shown, not how many pixels there are.
    wall.dataset.room = down < 38 && across > 2.2 * down ? "band" : across < 84 || down < 42 ? "tight" : "full";
    wall.classList.toggle("low", down < 27);
    wall.classList.toggle("high", down >= 58);
    wall.dataset.rem = rem;
  }

  new MutationObserver(function () {
    const wall = document.querySelector(".scene-wall");
    if (Boolean(wall) !== root.classList.contains("walled") || (wall && !wall.dataset.rem)) size();
  }).observe(document, { childList: true, subtree: true });
  window.addEventListener("resize", size);
  window.addEventListener("_dashprivate_pushstate", size);
  window.govWall = { size: size };
})();
