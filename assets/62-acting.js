// A button with data-act tells the server what was pressed; a second press of the same within a moment is a slip.
// Keys on a form: it takes the focus when it opens, Enter in a field sends it, Escape closes it. What was done
// takes the focus when the button that did it has gone.
(function () {
  "use strict";
  let form = null, bar = null, last = "", at = 0, mine = "";

  document.addEventListener("click", function (event) {
    const button = event.target.closest && event.target.closest("[data-act]"), now = Date.now();
    if (!button || button.dataset.act === last && now - at < 700) return;
    last = button.dataset.act;
    at = now;
    window.dash_clientside.set_props("pressed", { data: Object.assign(JSON.parse(last), { at: now }) });
  });

  // A list that is drawn anew makes one line's button another's: the focus goes where its own act went, or is gone.
  document.addEventListener("focusin", function (event) { mine = event.target.dataset && event.target.dataset.act || ""; });
  new MutationObserver(function () {
    const on = document.activeElement;
    if (!mine || !on || !on.dataset || on.dataset.act === undefined || on.dataset.act === mine) return;
    const same = [...document.querySelectorAll("[data-act]")].find(function (one) { return one.dataset.act === mine; });
    if (same) same.focus();
    if (document.activeElement === on) on.blur();
  }).observe(document.documentElement, { subtree: true, attributes: true, attributeFilter: ["data-act"] });

  new MutationObserver(function () {
    const opened = document.querySelector(".act-form"), said = document.querySelector("#done > .done");
    if (opened && opened !== form) {
      const first = opened.querySelector("input:not(:disabled), button");
      if (first) first.focus();
    }
    if (said && said !== bar && document.activeElement === document.body) {
      said.tabIndex = -1;
      said.focus({ preventScroll: true });
    }
    form = opened;
    bar = said;
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("keydown", function (key) {
    const box = key.target.closest && key.target.closest(".act-form, .report-form");
    if (!box || key.isComposing) return;
    if (key.key === "Enter" && key.target.matches("input:not([type=radio]):not([type=checkbox])")) {
      key.preventDefault();
      // The field tells its value when it is left.
      key.target.blur();
      setTimeout(function () { box.querySelector(".button.strong").click(); }, 60);
      // A form that is still there was refused: whoever types goes on where they were.
      setTimeout(function () { if (key.target.isConnected && document.activeElement === document.body) key.target.focus(); }, 900);
    } else if (key.key === "Escape" && box.matches(".act-form")) {
      key.stopPropagation();
      box.querySelector(".acts .button:not(.strong)").click();
    }
  }, true);
})();
