"use strict";
const data = JSON.parse(document.getElementById("data").textContent);
const all = (what, where = document) => [...where.querySelectorAll(what)];
const one = (what, where = document) => where.querySelector(what);
const form = one(".tools"), body = one("tbody"), rows = all("tr", body);
const words = one("#words"), order = one("#order"), tip = one("#tip"), numbers = one("#numbers");
const columns = all("th[data-column]");
rows.forEach((row, index) => { row.place = index; });
let sorted = { column: "", down: false };
form.hidden = false;

// Inside another page, as in a report, the files beside this one are out of reach.
if (!["file:", "http:", "https:"].includes(location.protocol))
  for (const link of all("a.file")) {
    if (link.closest(".links")) link.remove();
    else link.replaceWith(link.textContent);
  }

const checked = name => all(`input[name=${name}]:checked`).map(box => box.value);
const chosen = study => one(`select.corpora[data-study="${study}"]`)?.value ?? "";

/* What a row is sorted by: the number of the first corpus that is shown, or null. Specificities compare across corpora:
   theirs is that of the first corpus that has one. */
function value(row, column) {
  if (column === "model") return one("th", row).dataset.sort;
  const [study, name] = column.split(" ");
  const lines = all(`td.${study}.${name} .of:not([hidden])`, row);
  const line = name === "specificity" ? lines.find(each => each.dataset.sort !== undefined) : lines[0];
  return line?.dataset.sort === undefined ? null : Number(line.dataset.sort);
}

function compare(a, b) {
  if (a.value === null || b.value === null) return (a.value === null) - (b.value === null) || a.row.place - b.row.place;
  const found = typeof a.value === "string" ? a.value.localeCompare(b.value, "en", { numeric: true }) : a.value - b.value;
  return (sorted.down ? -found : found) || a.row.place - b.row.place;
}

function sort() {
  const keyed = rows.map(row => ({ row, value: sorted.column ? value(row, sorted.column) : row.place }));
  if (sorted.column) keyed.sort(compare);
  body.append(...keyed.map(each => each.row));
  for (const head of columns) {
    const now = head.dataset.column === sorted.column;
    head.setAttribute("aria-sort", now ? (sorted.down ? "descending" : "ascending") : "none");
  }
  order.value = sorted.column;
}

function filter() {
  const asked = words.value.toLowerCase().split(/\s+/).filter(Boolean);
  const kinds = checked("kind"), studies = checked("study");
  for (const part of all("[data-study]"))
    if (!part.matches("select")) part.hidden = !studies.includes(part.dataset.study);
  for (const select of all("select.corpora"))
    for (const line of all(`td.${select.dataset.study} .of`))
      line.hidden = select.value !== "" && line.dataset.corpus !== select.value;
  let left = 0;
  for (const row of rows) {
    const measured = all("td:not([hidden])", row).some(cell => one("svg", cell));
    const kept = asked.every(word => row.dataset.text.includes(word)) && kinds.includes(row.dataset.kind) && measured;
    row.hidden = !kept;
    left += kept;
  }
  one("#count").textContent = `${left} of ${rows.length} models`;
  one("#none").hidden = left > 0;
  // What is hidden cannot order the rows.
  if (sorted.column && sorted.column !== "model" && !studies.includes(sorted.column.split(" ")[0]))
    sorted = { column: "", down: false };
  sort();
}

for (const head of columns)
  one("button", head).onclick = () => {
    const column = head.dataset.column;
    const down = sorted.column === column ? !sorted.down : column !== "model";
    sorted = { column, down };
    sort();
  };
order.onchange = () => {
  sorted = { column: order.value, down: order.value !== "model" };
  sort();
};
form.onsubmit = event => event.preventDefault();
one("#again").onclick = () => {
  form.reset();
  sorted = { column: "", down: false };
  for (const select of all("select.corpora")) select.value = "";
  filter();
};
form.oninput = event => { if (event.target !== order) filter(); };
for (const select of all("select.corpora")) select.onchange = filter;

// Where a curve's picture has its axes; as in atlas_curves.py.
const PLOT = { left: 19, width: 98, top: 5, bottom: 45 };

/* Tooltips: what a dash means, and the values of a layer. */
const written = (number, digits = 3) =>
  number === null ? "–" : (Number(number.toFixed(digits)) || 0).toFixed(digits).replace("-", "−");

function tell(text, box, x = box.left) {
  tip.textContent = text;
  const width = tip.offsetWidth, height = tip.offsetHeight;
  tip.style.left = `${Math.max(4, Math.min(x + 8, innerWidth - width - 4))}px`;
  tip.style.top = `${box.bottom + height + 8 < innerHeight ? box.bottom + 4 : Math.max(4, box.top - height - 4)}px`;
}

function quiet() {
  tip.textContent = "";
  for (const line of all("line.cursor")) line.remove();
}

function curve(key) {
  const study = data[key.split("-")[0]];
  return { study, ...study.curves[key] };
}

function said(name, series, layer, labels) {
  const at = series.layer.indexOf(layer);
  if (at < 0 || series.value[at] === null) return `${labels[name] ?? name}: –`;
  const [low, high, chance] = [series.low[at], series.high[at], series.chance[at]];
  const digits = name.endsWith("_ms") ? 0 : 3;
  return `${labels[name] ?? name}: ${written(series.value[at], digits)}` +
    (low === null && high === null ? "" : ` [${written(low, digits)}, ${written(high, digits)}]`) +
    (chance === null ? "" : `, ${name.endsWith("_ms") ? "flat" : "chance"} ${written(chance, digits)}`);
}

function layers(found) {
  return [...new Set(Object.values(found.series).flatMap(series => series.layer))].sort((a, b) => a - b);
}

function depth(found, layer) {
  for (const series of Object.values(found.series)) {
    const at = series.layer.indexOf(layer);
    if (at >= 0) return series.relative_depth[at];
  }
  return null;
}

function show(svg, index) {
  const found = curve(svg.dataset.key), every = layers(found);
  if (!every.length) return;
  svg.at = Math.max(0, Math.min(index, every.length - 1));
  const layer = every[svg.at], relative = depth(found, layer);
  quiet();
  const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
  const x = PLOT.left + (relative ?? 0.5) * PLOT.width;
  const cursor = document.createElementNS(svg.namespaceURI, "line");
  for (const [name, value] of Object.entries({ class: "cursor", x1: x, x2: x, y1: PLOT.top, y2: PLOT.bottom })) cursor.setAttribute(name, value);
  svg.append(cursor);
  const head = relative === null ? "no layers" : `layer ${layer}, relative depth ${relative.toFixed(2)}`;
  const lines = Object.entries(found.series).map(([name, series]) => said(name, series, layer, found.study.labels));
  tell([`${found.model}, ${found.corpus}`, head, ...lines].join("\n"), box, box.left + x * scale);
}

function nearest(svg, clientX) {
  const found = curve(svg.dataset.key), box = svg.getBoundingClientRect();
  const wanted = ((clientX - box.left) * svg.viewBox.baseVal.width / box.width - PLOT.left) / PLOT.width;
  let best = 0;
  layers(found).forEach((layer, index, every) => {
    if (Math.abs(depth(found, layer) - wanted) < Math.abs(depth(found, every[best]) - wanted)) best = index;
  });
  return best;
}

for (const svg of all("svg[data-key]")) {
  svg.onpointermove = event => show(svg, nearest(svg, event.clientX));
  svg.onpointerleave = quiet;
  svg.onfocus = () => { if (svg.matches(":focus-visible")) show(svg, svg.at ?? 0); };
  svg.onblur = quiet;
  svg.onkeydown = event => {
    const step = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }[event.key];
    if (step !== undefined) { event.preventDefault(); show(svg, (svg.at ?? 0) + step); }
    // The key's release would press the button that has the focus by then.
    if (event.key === "Enter") { event.preventDefault(); open(svg.dataset.key); }
    if (event.key === "Escape") quiet();
  };
}
for (const dash of all("[data-tip]")) {
  dash.removeAttribute("title");
  dash.onpointerenter = dash.onfocus = () => tell(dash.dataset.tip, dash.getBoundingClientRect());
  dash.onpointerleave = dash.onblur = quiet;
}
// What is focused may be scrolled into view by that: its tooltip moves along, any other goes.
addEventListener("scroll", () => {
  const at = document.activeElement;
  if (tip.textContent && at?.matches("[data-tip]:focus-visible, svg[data-key]:focus-visible")) at.onfocus();
  else quiet();
}, true);

/* The numbers of one curve, and the same as a file. */
const FIELDS = ["value", "low", "high", "chance"];

function table(found) {
  const head = ["layer", "relative_depth"];
  for (const name of Object.keys(found.series)) head.push(...FIELDS.map(field => `${name} ${field}`));
  const lines = layers(found).map(layer => {
    const line = [layer, depth(found, layer)];
    for (const series of Object.values(found.series)) {
      const at = series.layer.indexOf(layer);
      line.push(...FIELDS.map(field => at < 0 ? null : series[field][at]));
    }
    return line;
  });
  return [head, ...lines];
}

function open(key) {
  const found = curve(key), lines = table(found);
  one("#numbers-title").textContent = `${found.model}: ${found.study.title} on ${found.corpus}`;
  const from = one(".from", numbers);
  const link = document.createElement("a");
  link.href = `data:text/csv;charset=utf-8,${encodeURIComponent(lines.map(line => line.join(",")).join("\n") + "\n")}`;
  link.download = `${found.model}-${found.study.title.toLowerCase()}-${found.corpus}.csv`;
  link.textContent = "these numbers as CSV";
  from.replaceChildren(link, `; from ${found.sources.join(", ")}`);
  const grid = document.createElement("table");
  lines.forEach((line, index) => {
    const row = (index ? grid.tBodies[0] ?? grid.createTBody() : grid.createTHead()).insertRow();
    for (const cell of line) {
      const box = document.createElement(index ? "td" : "th");
      box.textContent = cell ?? "–";
      row.append(box);
    }
  });
  one(".wide", numbers).replaceChildren(grid);
  numbers.showModal();
}
body.onclick = event => {
  const button = event.target.closest("button.numbers");
  if (button) open(button.dataset.key);
};
one(".close", numbers).onclick = () => numbers.close();
filter();
