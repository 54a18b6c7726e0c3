// The map's life: begins with the Leaflet map, draws each state that comes, listens to mouse and keys.
(function () {
  "use strict";
  const gov = window.govMap;
  let fitted = "", moved = false, sized = [0, 0];

  function size() {
    const box = gov.leaflet.getContainer();
    return [box.clientWidth, box.clientHeight];
  }

  function fit() {
    sized = size();
    gov.fit();
  }

  // A panel beside it that is a hair higher than before is no reason to draw a map anew.
  function resized() { return size().some(function (now, i) { return Math.abs(now - sized[i]) > 3; }); }

  function areas(next) {
    gov.tip();
    gov.dropFrame();
    if (next.urls.frame) gov.fetchJson(next.urls.frame).then(function (told) { if (gov.now === next) gov.showFrame(told); }).catch(gov.failed);
    if (next.crisp) {
      gov.fetchJson(next.urls.areas).then(function (told) {
        if (gov.now !== next) return;
        if (gov.grid) { gov.grid.remove(); gov.grid = null; }
        gov.showCrisp(told);
      }).catch(gov.failed);
      return;
    }
    gov.dropCrisp();
    if (gov.grid) gov.grid.remove();
    gov.grid = gov.makeGrid().addTo(gov.leaflet);
  }

  function same(before, next) {
    return before && before.tree === next.tree && before.level === next.level && before.place === next.place && before.lang === next.lang && (gov.grid || gov.crisp);
  }

  gov.show = function (next) {
    // An answer that comes late is about an address that was left.
    if (next.asked !== window.location.search.slice(1)) return;
    if (gov.isDrawn(next)) return;
    const before = gov.now;
    gov.now = next;
    if (next.mark && next.mark !== (before || {}).mark) gov.markKind = next.mark;
    if (!gov.leaflet) return; // the map itself comes later and asks again
    const place = `${next.tree}/${next.place}`;
    if (place !== fitted) { fitted = place; moved = false; fit(); }
    gov.drawBase();
    gov.drawFocus();
    if (!same(before, next)) areas(next);
    gov.fetchJson(next.urls.values).then(function (told) {
      if (gov.now !== next) return;
      told.layer = next.layer;
      gov.setValues(told);
      gov.whatIf(); // a hand is on a slider: its weights hold
      gov.tip();
      gov.colourCrisp();
      gov.drawPanel();
      gov.painted += 1;
    }).catch(gov.failed);
    gov.drawMarks();
  };

  function begin(made) {
    if (made.getContainer().id !== "map") return;
    Object.assign(gov, { leaflet: made, grid: null, crisp: null, frame: null, values: null, markBoxes: [] });
    gov.resetBase();
    gov.resetMarks();
    gov.resetFocus();
    gov.dropCrisp();
    gov.dropFrame();
    fitted = "";
    for (const [name, z] of [["gov-base", 210], ["gov-areas", 350], ["gov-water", 370], ["gov-lines", 380], ["gov-marks", 620], ["gov-names", 640]]) {
      made.createPane(name).style.zIndex = z;
      if (name !== "gov-areas" && name !== "gov-marks") made.getPane(name).style.pointerEvents = "none";
    }
    L.control.scale({ imperial: false, position: "bottomleft" }).addTo(made);
    made.on("mousemove", gov.hover);
    made.on("click", gov.clicked);
    made.on("dragstart", function () { moved = true; });
    made.on("moveend", gov.drawMarks);
    made.on("moveend", gov.drawFocus);
    made.on("zoomend", function () { gov.placeNames(); gov.shiftBase(); });
    new ResizeObserver(function () {
      made.invalidateSize();
      if (gov.now && !moved && resized()) fit(); else if (gov.now) gov.placeNames(); // a name at the edge must not be cut by a hair
    }).observe(made.getContainer());
    gov.early();
    if (gov.now) {
      const kept = gov.now;
      gov.now = null;
      made.whenReady(function () { setTimeout(function () { gov.show(kept); }, 0); });
    }
  }

  document.addEventListener("keydown", function (key) {
    if (key.key === "Escape" && !/^(INPUT|SELECT|TEXTAREA)$/.test(key.target.tagName)) gov.up();
  });

  (function hook() {
    if (window.L && window.L.Map) window.L.Map.addInitHook(function () { begin(this); });
    else setTimeout(hook, 5);
  })();
})();
