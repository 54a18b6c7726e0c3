// Sliders on the weights of the index. While a hand moves one the map is weighed anew here, from the scores of the
// dimensions, which do not depend on weights and are asked for once; when the hand rests the weights become the address,
// and everything else on the page follows from the server. No release is ever touched.
(function () {
  "use strict";
  const gov = window.govMap, WAIT = 350, LAYER = "governance_index", OLD = 60000;
  let rows = null, shown = [], pending = null, drag = null, timer = 0;
  let parts = null, partsOf = "", asking = "", at = 0;

  function sum(all) { return all.reduce(function (a, b) { return a + b; }, 0); }

  // Whole numbers in the proportions of some weights (equal where all are zero) that add up to exactly `total`:
  // all rounded down, and what is left goes to the largest remainders, the first of equals first.
  function spread(weights, total) {
    const whole = sum(weights), exact = weights.map(function (w) { return whole ? total * w / whole : total / weights.length; });
    const out = exact.map(function (x) { return Math.floor(x + 1e-9); });
    const order = exact.map(function (x, i) { return i; }).sort(function (a, b) { return (exact[b] - out[b]) - (exact[a] - out[a]) || a - b; });
    for (let k = 0, left = total - sum(out); k < left; k++) out[order[k % order.length]] += 1;
    return out;
  }

  // One weight is set; the others share what is left of 100 in the proportions that they had.
  function share(held, i, value) {
    const others = spread(held.filter(function (w, k) { return k !== i; }), 100 - value);
    others.splice(i, 0, value);
    return others;
  }

  // The score of every area by other weights: the same rule as queries/scoring, on the same numbers.
  function scores(told, weights) {
    const n = told.dense.length, out = new Float64Array(n), few = new Uint8Array(n);
    let w = told.at.map(function (k) { return weights[k]; });
    if (!(sum(w) > 0)) w = told.weights;
    const total = sum(w), geometric = told.rule === "geometric";
    for (let a = 0; a < n; a++) {
      let cover = 0, own = 0, held = 0, mean = 0;
      for (let d = 0; d < w.length; d++) {
        cover += w[d] * told.coverage[d][a];
        own += w[d] * told.own[d][a];
        const part = told.parts[d][a];
        if (part === part) { held += w[d]; mean += w[d] * part; }
      }
      out[a] = cover / total + 1e-9 >= told.least && held > 0 ? (geometric ? Math.exp(mean / held) : mean / held) : NaN;
      few[a] = own / total < told.least_own ? 1 : 0;
    }
    return { score: out, few: few };
  }

  function unpack(told) {
    told.dense = new Int32Array(gov.bytes(told.dense));
    told.scores = told.scores.map(function (one) { return new Float64Array(gov.bytes(one)); });
    told.own = told.own.map(function (one) { return new Float32Array(gov.bytes(one)); });
    told.coverage = told.coverage.map(gov.column);
    // The mean of logarithms is the logarithm of the geometric mean: taken once, not at every move.
    told.parts = told.rule === "geometric" ? told.scores.map(function (one) { return one.map(Math.log); }) : told.scores;
    return told;
  }

  function question() {
    if (!gov.now || gov.now.layer !== LAYER) return "";
    const query = new URLSearchParams(gov.now.query);
    for (const key of ["weights", "layer", "case", "thing"]) query.delete(key);
    query.set("level", gov.now.level);
    return String(query);
  }

  function ask() {
    const key = question();
    if (!key || asking === key || (partsOf === key && Date.now() - at < OLD)) return;
    asking = key;
    gov.fetchJson("/map/index-parts?" + key).then(function (told) {
      if (asking !== key) return;
      asking = "";
      if (!told.dimensions.length || !["geometric", "arithmetic"].includes(told.rule)) { parts = null; return; }
      parts = unpack(told);
      partsOf = key;
      at = Date.now();
      gov.whatIf();
    }).catch(function () { asking = ""; }); // the server draws it when the hand rests
  }

  // Paint the map by the weights under the hand; nothing when there are none, or the map shows something else.
  gov.whatIf = function () {
    const told = gov.values;
    if (!pending || !parts || !told || partsOf !== question() || told.layer !== LAYER) return false;
    const made = scores(parts, pending), counts = {};
    for (let a = 0; a < made.score.length; a++) {
      const score = made.score[a], dense = parts.dense[a];
      let chosen = parts.none;
      if (score === score) {
        chosen = parts.first;
        if (made.few[a]) chosen = parts.few; else for (const border of parts.breaks) if (score >= border) chosen += 1;
      }
      told.bytes[dense] = chosen;
      told.values[dense] = score;
      counts[chosen] = (counts[chosen] || 0) + 1;
    }
    for (const one of told.classes) one.count = counts[one.number] || 0;
    told.plain = told.plain || told.title;
    told.title = told.plain.endsWith(parts.what_if) ? told.plain : `${told.plain} · ${parts.what_if}`;
    gov.repaint();
    gov.colourCrisp();
    gov.drawPanel();
    return true;
  };

  function address() { return new URLSearchParams(window.location.search).get("weights") || ""; }

  function commit() {
    if (!pending || address() === pending.join(",")) return;
    const query = new URLSearchParams(window.location.search);
    query.delete("after");
    query.set("weights", pending.join(","));
    window.history.pushState({}, "", window.location.pathname + "?" + String(query).replace(/%2C/g, ","));
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function show(weights) {
    shown = weights;
    rows.fields.forEach(function (one, i) {
      one.input.value = weights[i];
      one.output.textContent = `${weights[i]} %`;
      one.input.setAttribute("aria-valuetext", `${weights[i]} %`);
    });
  }

  function mark(box, spec) {
    const panel = box.closest(".weights");
    if (panel) panel.classList.toggle("is-what-if", Boolean(pending || spec.what_if));
  }

  function moved(i, value) {
    pending = share(drag && drag.i === i ? drag.held : shown, i, value);
    show(pending);
    gov.whatIf();
    const box = document.querySelector("[data-weights]");
    if (box) mark(box, JSON.parse(box.dataset.weights));
  }

  function row(one, i) {
    const label = document.createElement("label"), name = document.createElement("span"), input = document.createElement("input"), output = document.createElement("output");
    name.textContent = one.title;
    if (one.note) { name.title = one.note; name.className = "beside"; }
    Object.assign(input, { type: "range", min: 0, max: 100, step: 1 });
    input.dataset.dimension = one.id;
    input.addEventListener("pointerdown", function () { ask(); drag = { i: i, held: shown.slice() }; });
    input.addEventListener("keydown", ask);
    input.addEventListener("input", function () { clearTimeout(timer); moved(i, Number(input.value)); });
    input.addEventListener("change", function () { drag = null; clearTimeout(timer); timer = setTimeout(commit, WAIT); });
    input.addEventListener("pointercancel", function () { drag = null; });
    label.append(name, input, output);
    return { label, input, output };
  }

  // The fields live on over drawings, so that a hand on a slider keeps it.
  function fill() {
    const box = document.querySelector("[data-weights]");
    if (!box) { clearTimeout(timer); rows = drag = pending = null; return; }
    const spec = JSON.parse(box.dataset.weights), key = JSON.stringify(spec.rows);
    if (!rows || rows.key !== key) rows = { key, fields: spec.rows.map(row) };
    if (box.firstChild !== rows.fields[0].label) {
      const held = rows.fields.find(function (one) { return one.input === document.activeElement || one.input.dataset.held; });
      box.replaceChildren(...rows.fields.map(function (one) { return one.label; }));
      if (held && document.activeElement === document.body) held.input.focus({ preventScroll: true });
      box.addEventListener("pointerenter", ask);
      box.addEventListener("focusin", ask);
    }
    const told = spread(spec.held, 100);
    if (pending && !drag && spec.what_if && spec.held.join() === pending.join()) pending = null;
    if (!drag) show(pending || told);
    mark(box, spec);
  }

  // Who goes to other weights by a link or back in time has let go of the sliders.
  function left() {
    if (!pending || address() === pending.join(",")) return;
    clearTimeout(timer);
    pending = null;
    fill();
  }

  window.govWeights = { share: share, spread: spread, scores: scores, parts: function () { return parts; }, pending: function () { return pending; } };
  function holds(event) {
    if (rows) for (const one of rows.fields) if (one.input === event.target) one.input.dataset.held = "1"; else delete one.input.dataset.held;
  }
  document.addEventListener("focusin", holds);
  document.addEventListener("pointerdown", holds);
  document.addEventListener("gov:drawn", fill);
  window.addEventListener("_dashprivate_pushstate", left);
  window.addEventListener("popstate", left);
})();
