// The records of a bar that was just opened come into sight inside their panel; whoever then scrolls is left alone.
(function () {
  "use strict";
  let shown = "";

  document.addEventListener("gov:drawn", function () {
    const opened = document.querySelector(".panel-index_why .why.on"), records = document.querySelector(".panel-index_why .why-records");
    const key = opened && records ? window.location.search : "";
    if (key === shown) return;
    shown = key;
    if (!key) return;
    const box = opened.closest(".scroll"), top = opened.offsetTop - box.offsetTop;
    // On a phone the page scrolls, and the bar is where the finger was.
    if (box.scrollHeight > box.clientHeight + 1) box.scrollTo({ top: Math.max(top - 4, 0), behavior: "instant" });
  });
})();
