// The panel on the map: which layer, level and marks; the legend with counts and the rule behind it.
(function () {
  "use strict";
  const gov = window.govMap;

  function choice(label, options, chosen, act) {
    const row = document.createElement("label"), list = document.createElement("select");
    row.textContent = label + " ";
    for (const one of options) {
      const option = new Option(one.name, one.id, false, String(one.id) === String(chosen));
      if (one.what) option.title = one.what;
      list.add(option);
    }
    list.addEventListener("change", function () { act(list.value); });
    row.appendChild(list);
    return row;
  }

  function legend() {
    const table = document.createElement("table");
    table.setAttribute("aria-label", gov.now.words.legend);
    for (const one of gov.values.classes) {
      if (!one.count) continue;
      const row = table.insertRow();
      row.className = one.act ? "act" : "";
      row.innerHTML = `<td><i class="swatch ${one.pattern}" style="background-color:${one.colour}"></i></td>` +
        `<td>${gov.escape(one.text)}</td><td>${one.act ? "▲ " : ""}${one.quiet ? "" : gov.escape(one.word)}</td><td class="num">${one.count.toLocaleString("en-US")}</td>`;
    }
    return table;
  }

  function line(css, text) {
    const box = document.createElement("div");
    box.className = css;
    box.textContent = text;
    return box;
  }

  function markKey() {
    const box = document.createElement("div"), kind = gov.now.marks.find(function (one) { return one.id === gov.markKind; });
    const isCase = gov.markKind === "cases";
    const used = isCase ? Object.values(gov.now.status).filter(function (one) { return one.open; }) : kind.looks.map(function (code) { return gov.now.status[code]; });
    box.className = "marks";
    box.innerHTML = used.map(function (one) { return `<span>${gov.shapeOf(one)}${gov.escape(one.name)}</span>`; }).join("");
    if (isCase) box.innerHTML += `<span>${gov.shapeOf({ shape: "triangle", colour: gov.now.overdue })}${gov.escape(gov.now.words.overdue)}</span>`;
    return box;
  }

  function fold(box) {
    const button = document.createElement("button");
    const say = function () { button.textContent = box.classList.contains("shut") ? gov.now.words.panel : gov.now.words.close; };
    button.type = "button";
    button.className = "button";
    button.addEventListener("click", function () { box.classList.toggle("shut"); say(); });
    say();
    return button;
  }

  gov.drawPanel = function () {
    const box = document.getElementById("map-panel"), now = gov.now, words = now.words;
    if (!box || !gov.values) return;
    if (!box.dataset.known) { box.dataset.known = "1"; if (window.innerWidth <= 900) box.classList.add("shut"); }
    const title = line("title", `${gov.values.title}${gov.values.unit_word ? " · " + gov.values.unit_word : ""}`);
    title.title = gov.values.what;
    const parts = [fold(box), choice(words.layer, now.layers, now.layer, function (id) { gov.go({ layer: id }); })];
    if (now.levels.length > 1) parts.push(choice(words.level, now.levels, now.level, function (id) { gov.go({ level: id }); }));
    parts.push(choice(words.marks, [{ id: "", name: "—" }, ...now.marks], gov.markKind, function (id) { gov.markKind = id; gov.drawMarks(); gov.drawPanel(); }));
    if (gov.markKind && now.marks.some(function (one) { return one.id === gov.markKind && (one.looks.length || one.id === "cases"); })) parts.push(markKey());
    parts.push(title, legend(), line("why", gov.values.note));
    parts.push(line("why", `${now.n.toLocaleString("en-US")} ${words.areas}${gov.values.as_of ? " · " + words.as_of + " " + gov.values.as_of : ""} · ${words.hint}`));
    box.replaceChildren(...parts);
  };
})();
