// Draws the parts of a page that only show (dashboard/still.py).
// Dash makes the inside of a panel anew whenever its callback answers. What a person had opened, scrolled to or focused
// there is put back before it is painted, as long as the address asks for the same.
(function () {
  "use strict";
  const kept = new WeakMap();

  function way(home, node) {
    const steps = [];
    for (let at = node; at !== home; at = at.parentNode) steps.unshift([...at.parentNode.children].indexOf(at));
    return steps;
  }

  function walk(home, steps) { return steps.reduce(function (at, i) { return at && at.children[i]; }, home); }

  function word(node) { return node.tagName + (node.tagName === "DETAILS" ? (node.firstChild || node).textContent : node.getAttribute("href") || own(node)); }

  // Whose a part is: an alarm's line, an act's button. It may stand at another place when all is drawn anew.
  function own(node) { return node.dataset.alarm || node.dataset.act || ""; }

  function remember(home) {
    const held = { address: window.location.href, scrolled: [], folds: [], focus: null };
    for (const one of home.querySelectorAll("*")) {
      if (one.scrollTop || one.scrollLeft) held.scrolled.push([way(home, one), one.scrollTop, one.scrollLeft]);
      if (one.tagName === "DETAILS") held.folds.push([way(home, one), word(one), one.open]);
      if (one === document.activeElement) held.focus = [way(home, one), word(one), own(one)];
    }
    kept.set(home, held);
  }

  function restore(home) {
    const held = kept.get(home);
    kept.delete(home);
    if (!held || held.address !== window.location.href) return;
    for (const [steps, name, open] of held.folds) {
      const one = walk(home, steps);
      if (one && one.tagName === "DETAILS" && word(one) === name) one.open = open;
    }
    for (const [steps, top, left] of held.scrolled) {
      const one = walk(home, steps);
      if (one) one.scrollTo({ top: top, left: left, behavior: "instant" });
    }
    if (!held.focus || document.activeElement !== document.body) return;
    const at = walk(home, held.focus[0]), whose = held.focus[2];
    const had = at && word(at) === held.focus[1] ? at : whose && [...home.querySelectorAll("[data-alarm], [data-act]")].find(function (one) { return own(one) === whose; });
    if (had) had.focus({ preventScroll: true });
  }

  function Still(props) {
    const box = React.useRef(null);
    React.useLayoutEffect(function () {
      const home = box.current.parentNode.closest("[id]");
      box.current.innerHTML = props.html;
      // After everything else of the panel is there, and before it is painted.
      if (home) queueMicrotask(function () { restore(home); });
      document.dispatchEvent(new CustomEvent("gov:drawn"));
      return function () { if (home && !kept.has(home)) remember(home); };
    }, [props.html, props.tag]);
    return React.createElement(props.tag, Object.assign({}, props.attrs, { ref: box, key: props.tag }));
  }

  window.gov_page = { Still: Still };

  // A link inside goes where a link of Dash goes: another address, the same page.
  document.addEventListener("click", function (event) {
    const link = event.target.closest && event.target.closest("a[data-go]");
    if (!link || event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    window.history.pushState({}, "", link.getAttribute("href"));
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
    window.scrollTo(0, 0);
  });
})();
