// The door, as a page meets it: a session that is over leads to the sign-in page and back here; a page that
// nobody has touched for a minute says so, and does not keep its session open by asking for news.
(function () {
  "use strict";
  const QUIET = 60000, ask = window.fetch.bind(window);
  let touched = Date.now(), leaving = false;

  for (const act of ["pointerdown", "pointermove", "keydown", "wheel", "touchstart"]) {
    window.addEventListener(act, function () { touched = Date.now(); }, { passive: true, capture: true });
  }

  function leave() {
    if (leaving) return;
    leaving = true;
    window.location.assign("/login?next=" + encodeURIComponent(window.location.pathname + window.location.search));
  }

  window.fetch = function (what, how) {
    const url = new URL(what instanceof Request ? what.url : what, window.location.href);
    if (url.origin !== window.location.origin) return ask(what, how);
    const request = new Request(what, how);
    if (Date.now() - touched > QUIET) request.headers.set("X-Gov-Unattended", "1");
    const drawing = url.pathname.endsWith("/_dash-update-component"), live = window.govLive;
    if (drawing) live.asked += 1;
    return ask(request).then(function (answer) {
      if (answer.status === 401) leave();
      if (drawing && answer.status >= 500) document.dispatchEvent(new CustomEvent("gov:lost"));
      return answer;
    }, function (bad) {
      if (drawing) document.dispatchEvent(new CustomEvent("gov:lost"));
      throw bad;
    }).finally(function () { if (drawing) live.asked -= 1; });
  };

  // One menu of the header at a time: Escape and a click beside it close it.
  function close(event) {
    const open = document.querySelector(".who[open]");
    if (open && (event.key === "Escape" || (event.type === "click" && !open.contains(event.target)))) open.removeAttribute("open");
  }
  document.addEventListener("click", close);
  document.addEventListener("keydown", close);
})();
