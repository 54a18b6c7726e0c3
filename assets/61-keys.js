// Keys: arrows walk from the search field through what was found, Enter opens, Escape lets go; "/" goes to
// the search field. A click on a row opens what its first link opens.
(function () {
  "use strict";

  function field() { return document.getElementById("search"); }

  function links() { return [...document.querySelectorAll("#search-found a")]; }

  function walk(step) {
    const all = links(), at = all.indexOf(document.activeElement) + step;
    if (at < 0) return field().focus();
    if (all[at]) all[at].focus();
  }

  document.addEventListener("keydown", function (key) {
    const from = key.target, searching = from === field() || from.closest && from.closest("#search-found");
    if (key.key === "/" && !/^(INPUT|SELECT|TEXTAREA)$/.test(from.tagName)) { key.preventDefault(); return field() && field().focus(); }
    if (!searching) return;
    if (key.key === "ArrowDown" || key.key === "ArrowUp") {
      key.preventDefault();
      walk(key.key === "ArrowDown" ? 1 : -1);
    } else if (key.key === "Enter" && from === field() && links().length) {
      key.preventDefault();
      links()[0].click();
    } else if (key.key === "Escape") {
      key.stopPropagation();
      window.dash_clientside.set_props("search", { value: "" });
      from.blur();
    }
  }, true);

  // A card that opens takes the focus, and gives it back when it closes.
  let card = null, came = null;
  new MutationObserver(function () {
    const open = document.querySelector(".card");
    if (open && !card) { came = document.activeElement; open.focus({ preventScroll: true }); }
    if (!open && card && came && came.isConnected) came.focus({ preventScroll: true });
    card = open;
  }).observe(document.documentElement, { childList: true, subtree: true });

  document.addEventListener("click", function (event) {
    const row = event.target.closest && event.target.closest("tr.row");
    if (!row || event.target.closest("a, button, input, select, label") || String(window.getSelection())) return;
    const link = row.querySelector("a");
    if (link) link.click();
  });
})();
