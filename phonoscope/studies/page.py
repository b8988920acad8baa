"""A table as a page for the report: sorted by a click, filtered by words, nothing fetched from elsewhere."""

import json

# More rows than these at once make a browser slow; the filter finds the others.
SHOWN = 400


def page(frame, name):
    """An HTML page that shows a table.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`phonoscope.studies.sheets.read` gives it.
    name : str
        File name that the table is offered for download under.

    Returns
    -------
    str
    """
    content = {
        "name": name,
        "shown": SHOWN,
        "columns": list(frame.columns),
        "rows": json.loads(frame.to_json(orient="values", double_precision=6)),
        "csv": frame.to_csv(index=False, lineterminator="\n"),
    }
    # "</" inside a text would end the script element.
    return _PAGE.replace("CONTENT", json.dumps(content, ensure_ascii=False).replace("</", "<\\/"))


_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<style>
body { font: 14px/1.4 system-ui, sans-serif; margin: 0.5rem; color: #111; background: #fff; }
input { font: inherit; padding: 0.2rem 0.4rem; width: 22rem; max-width: 60%; }
table { border-collapse: collapse; margin-top: 0.5rem; }
th, td { padding: 0.15rem 0.6rem; border-bottom: 1px solid #ddd; white-space: nowrap; text-align: left; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
th { position: sticky; top: 0; background: #f2f2f2; cursor: pointer; }
</style>
</head>
<body>
<input id="words" placeholder="show rows with these words" aria-label="filter">
<a id="csv">CSV</a> <span id="count"></span>
<table><thead><tr id="head"></tr></thead><tbody id="body"></tbody></table>
<script>
const table = CONTENT;
const at = id => document.getElementById(id);
let order = null, up = true;
const value = cell => typeof cell === "number" && !Number.isInteger(cell)
  ? (Math.abs(cell) > 0 && Math.abs(cell) < 0.001 ? cell.toExponential(1) : cell.toFixed(3)) : cell ?? "";
function compare(a, b) {
  [a, b] = [a[order], b[order]];
  if (a == null || b == null) return (a == null) - (b == null);
  const sign = up ? 1 : -1;
  return sign * (typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b)));
}
function show() {
  const words = at("words").value.toLowerCase().split(/\\s+/).filter(Boolean);
  let rows = table.rows.filter(row => {
    const text = row.join(" ").toLowerCase();
    return words.every(word => text.includes(word));
  });
  if (order !== null) rows = [...rows].sort(compare);
  at("count").textContent = `${rows.length} rows` +
    (rows.length > table.shown ? `, the first ${table.shown} shown` : "");
  at("body").replaceChildren(...rows.slice(0, table.shown).map(row => {
    const line = document.createElement("tr");
    for (const cell of row) {
      const box = line.insertCell();
      box.textContent = value(cell);
      if (typeof cell === "number") box.className = "number";
    }
    return line;
  }));
}
table.columns.forEach((column, index) => {
  const head = document.createElement("th");
  head.textContent = column;
  head.onclick = () => { up = order === index ? !up : true; order = index; show(); };
  at("head").append(head);
});
at("csv").href = URL.createObjectURL(new Blob([table.csv], { type: "text/csv" }));
at("csv").download = table.name;
at("words").oninput = show;
show();
</script>
</body>
</html>
"""
