"""The page that shows every model's layers in all studies side by side: HTML that needs nothing but itself.

The page is a table that reads without scripts; ``page.js`` sorts and filters it, and tells the numbers of a
curve from the data that the page holds.
"""

import json
import re
from html import escape
from pathlib import Path

import numpy as np
import pandas as pd

from phonoscope.figures import atlas_curves as curves
from phonoscope.figures.atlas_words import SPECIFICITY, STUDIES

ASSETS = Path(__file__).with_name("atlas_page")
_NUMBERS = ("value", "low", "high", "chance")


def page(table):
    """The page.

    Parameters
    ----------
    table : pandas.DataFrame
        As :func:`phonoscope.studies.atlas.collect` gives it.

    Returns
    -------
    str
    """
    # A specificity may be of no layer, and a column with gaps is read as text.
    table = table.assign(layer=pd.to_numeric(table.layer.replace("", None)))
    studies = [study for study in STUDIES if study in set(table.study)]
    parts = {name: _Part(name, table[table.study == name]) for name in studies}
    models = dict(zip(table.model, table.kind, strict=True))
    body = "".join(_row(model, kind, parts.values()) for model, kind in models.items())
    data = {part.name: part.data for part in parts.values()}
    filled = {
        "CSS": (ASSETS / "page.css").read_text(encoding="utf-8"),
        "JS": (ASSETS / "page.js").read_text(encoding="utf-8"),
        "DATA": _json(data),
        "TOOLS": _tools(models.values(), parts.values()),
        "LEGEND": "".join(map(_legend, parts.values())),
        "ABSENT": _absent(parts),
        "HEAD": _head(parts.values()),
        "BODY": body,
        "HELP": "".join(map(_help, parts.values())),
    }
    template = (ASSETS / "page.html").read_text(encoding="utf-8")
    # One pass: what is filled in may hold such a word itself.
    return re.sub("|".join(rf"%{name}%" for name in filled), lambda found: filled[found[0][1:-1]], template)


def _json(data):
    """JSON that can stand in a script element: no text in it can end the element."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


class _Part:
    """One study of the page: its words, corpora and range, and the numbers of its curves."""

    def __init__(self, name, table):
        self.name, self.words = name, STUDIES[name]
        probes = " or ".join(dict.fromkeys(filter(None, table.probe.fillna(""))))
        self.unit = self.words["unit"] + (f" ({probes})" if probes else "")
        self.corpora = list(dict.fromkeys(table.corpus))
        drawn = table[table.measure.isin(self.words["curves"])]
        self.low, self.high = curves.limits(drawn[list(_NUMBERS)].to_numpy(float))
        self.table = table
        self.columns = ["profile", "best", *self.words["extra"], "specificity"]
        self.cells = dict(list(table.groupby(["model", "corpus"], sort=False)))
        self.data = {"title": self.words["title"], "labels": self.words["labels"], "curves": {}}


def _plain(values):
    """A column as JSON has it: None for what is not there."""
    return [None if not np.isfinite(value) else float(value) for value in values]


def _numbers(rows):
    """Series of one curve: a dict of columns per measure."""
    found = {}
    for measure, part in rows.groupby("measure", sort=False):
        found[measure] = {name: _plain(part[name]) for name in ("layer", "relative_depth", *_NUMBERS)}
    return found


def _row(model, kind, parts):
    cells = "".join(_cells(part, model) for part in parts)
    word = kind.split()[0]
    return (
        f'<tr role="row" data-kind="{escape(word)}" data-text="{escape(f"{model} {kind}".lower())}">'
        f'<th scope="row" role="rowheader" data-sort="{escape(model)}"><span class="model">{escape(model)}'
        f'</span><span class="kind">{escape(kind)}</span></th>{cells}</tr>'
    )


def _cells(part, model):
    """Profile, best layer, what else the study has, and specificity of one model in one study."""
    columns = {name: [] for name in part.columns}
    if not any((model, corpus) in part.cells for corpus in part.corpora):
        why = f"{model} is not among this study's models"
        return (
            f'<td role="cell" class="profile none {part.name}" data-study="{part.name}" '
            f'colspan="{len(columns)}" data-title="{escape(part.words["title"])}">'
            f"{_missing('', why)}</td>"
        )
    for corpus in part.corpora:
        rows = part.cells.get((model, corpus))
        if rows is None:
            line = _missing(corpus, f"{model} is not studied on {corpus} in this run")
            for lines in columns.values():
                lines.append(line)
            continue
        columns["profile"].append(_profile(part, model, corpus, rows))
        columns["best"].append(_best(part, corpus, rows))
        for name, extra in part.words["extra"].items():
            columns[name].append(_extra(corpus, rows, extra))
        columns["specificity"].append(_specificity(corpus, rows))
    several = " data-several" if len(part.corpora) > 1 else ""
    return "".join(
        f'<td role="cell" class="{name} {part.name}" data-study="{part.name}"{several} '
        f'data-label="{escape(_column(part, name))}" data-title="{escape(part.words["title"])}">'
        f"{''.join(lines)}</td>"
        for name, lines in columns.items()
    )


def _column(part, name):
    """Heading of a column."""
    if name in part.words["extra"]:
        return part.words["extra"][name]["title"]
    return {"profile": "by depth", "best": "best layer", "specificity": "specificity"}[name]


def _line(corpus, value, content):
    """What one cell says of one corpus; ``value`` is what it is sorted by."""
    order = "" if value is None or not np.isfinite(value) else f' data-sort="{value:.9g}"'
    return f'<div class="of" data-corpus="{escape(corpus)}"{order}>{content}</div>'


def _missing(corpus, why):
    text = escape(why)
    return _line(
        corpus,
        None,
        f'<span class="missing" tabindex="0" title="{text}" data-tip="{text}">–'
        f'<span class="reason">{text}</span></span>',
    )


def _profile(part, model, corpus, rows):
    measured = _numbers(rows[rows.layer.notna() & (rows.measure != SPECIFICITY)])
    best = rows[rows.best == "yes"]
    at = best.iloc[0] if len(best) else None
    series = []
    for i, (measure, shape) in enumerate(zip(part.words["curves"], curves.SHAPES, strict=False), 1):
        if measure not in measured:
            continue
        own = at is not None and at.measure == measure
        values = measured[measure]
        series.append(
            {"number": i, "shape": shape, "depth": values["relative_depth"]}
            | {name: values[name] for name in _NUMBERS}
            | {"best": values["layer"].index(at.layer) if own else None}
        )
    key = f"{part.name}-{len(part.data['curves'])}"
    sources = list(dict.fromkeys(rows.source[rows.measure.isin(part.words["curves"])]))
    part.data["curves"][key] = {"model": model, "corpus": corpus, "sources": sources, "series": measured}
    said = f"{model}, {part.words['title']} on {corpus}: " + (_said(at) if at is not None else "no value")
    drawn = curves.draw(series, part.low, part.high, said, key)
    links = "".join(
        f'<a class="file" href="{escape(path)}" aria-label="CSV with the numbers of {escape(model)} on '
        f'{escape(corpus)}: {escape(path)}">CSV</a>'
        for path in sources
    )
    button = (
        f'<button type="button" class="numbers" data-key="{key}" aria-label="numbers of {escape(model)}, '
        f'{escape(part.words["title"])}, {escape(corpus)}">numbers</button>'
    )
    name = f'<div class="corpus">{escape(corpus)}</div>' if len(part.corpora) > 1 else ""
    depth = at.relative_depth if at is not None else None
    return _line(corpus, depth, f'{name}{drawn}<div class="links">{links}{button}</div>')


def _said(row):
    depth = "" if np.isnan(row.relative_depth) else f", relative depth {row.relative_depth:.2f}"
    return f"best {number(row.value)} at layer {row.layer:g}{depth}"


def number(value, digits=3):
    """A number for reading, with a minus sign unless it reads 0."""
    return f"{round(value, digits) + 0.0:.{digits}f}".replace("-", "−")


def _value(value, low, high, more, digits=3, unit="", note=""):
    """A number with its interval and what else is said, line by line; a note may be cut where it is long."""
    lines = [f"<b>{number(value, digits)}{unit and ' ' + unit}</b>"]
    if np.isfinite(low) and np.isfinite(high):
        lines.append(
            f'<span class="ci">[{number(low, min(digits, 2))}, {number(high, min(digits, 2))}]</span>'
        )
    elif np.isfinite(low) or np.isfinite(high):
        ends = [number(end, min(digits, 2)) if np.isfinite(end) else "…" for end in (low, high)]
        lines.append(f'<span class="ci">[{", ".join(ends)}]</span>')
    lines += [f"<span>{escape(text)}</span>" for text in more if text]
    if note:
        text = escape(note)
        lines.append(f'<span class="note" tabindex="0" title="{text}" data-tip="{text}">{text}</span>')
    return "".join(lines)


def _best(part, corpus, rows):
    found = rows[rows.best == "yes"]
    if found.empty:
        return _missing(corpus, _why(rows[rows.measure.isin(part.words["curves"])], "no layer has a value"))
    row = found.iloc[0]
    where = [f"layer {row.layer:g}", f"depth {row.relative_depth:.2f}"]
    where = ["no layers"] if np.isnan(row.relative_depth) else where
    chance = f"chance {number(row.chance, 2)}" if np.isfinite(row.chance) else ""
    return _line(corpus, row.value, _value(row.value, row.low, row.high, [chance, *where]))


def _why(rows, otherwise):
    notes = [note for note in dict.fromkeys(rows.note) if note]
    return "; ".join(notes) or otherwise


def _extra(corpus, rows, extra):
    """A further number at the best layer, and the one that it is compared with."""
    best = rows[rows.best == "yes"]
    mine = rows[(rows.measure == extra["measure"]) & rows.layer.isin(best.layer) & rows.value.notna()]
    if mine.empty:
        return _missing(corpus, extra["missing"])
    row = mine.iloc[0]
    other = rows[(rows.measure == extra["beside"]) & rows.value.notna()]
    beside = [f"{extra['beside_label']} {other.value.iloc[0]:.0f}"] if len(other) else []
    flat = [f"flat {row.chance:.0f}"] if np.isfinite(row.chance) else []
    return _line(corpus, row.value, _value(row.value, row.low, row.high, beside + flat, 0, extra["unit"]))


def _specificity(corpus, rows):
    found = rows[rows.measure == SPECIFICITY]
    if found.empty or not np.isfinite(found.value.iloc[0]):
        return _missing(corpus, _why(found, "this study has no specificity here"))
    row = found.iloc[0]
    chance = f"chance {number(row.chance, 2)}" if np.isfinite(row.chance) else ""
    return _line(corpus, row.value, _value(row.value, row.low, row.high, [chance], note=row.note))


def _head(parts):
    """Two lines of headings: the studies, and the columns of each."""
    above, below = [], []
    for part in parts:
        every = "".join(f'<option value="{escape(name)}">{escape(name)}</option>' for name in part.corpora)
        choice = (
            f'<select class="corpora" data-study="{part.name}" aria-label="corpus of the '
            f'{escape(part.words["title"])} study"><option value="">all corpora</option>{every}</select>'
            if len(part.corpora) > 1
            else f'<span class="unit">on {escape(part.corpora[0])}</span>'
        )
        above.append(
            f'<th scope="colgroup" role="columnheader" colspan="{len(part.columns)}" '
            f'data-study="{part.name}" class="{part.name}">'
            f'<a href="#help-{part.name}">{escape(part.words["title"])}</a> '
            f'<span class="unit">{escape(part.unit)}</span> {choice}</th>'
        )
        below += [_sortable(part, name) for name in part.columns]
    return (
        '<tr role="row"><th rowspan="2" scope="col" role="columnheader" aria-sort="none" data-column="model">'
        f'<button type="button">model</button></th>{"".join(above)}</tr><tr role="row">{"".join(below)}</tr>'
    )


def _sortable(part, name):
    means = {
        "profile": "sorts by the relative depth of the best layer",
        "best": f"sorts by {part.words['labels'][part.words['curves'][0]]} at the best layer",
        "specificity": part.words["specificity"],
    }
    means |= {extra: words["means"] for extra, words in part.words["extra"].items()}
    return (
        f'<th scope="col" role="columnheader" aria-sort="none" data-study="{part.name}" '
        f'data-column="{part.name} {name}" class="{name} {part.name}"><button type="button" '
        f'title="{escape(means[name])}">{escape(_column(part, name))}</button></th>'
    )


def _tools(kinds, parts):
    """Filters, and the order of rows for who has no headings to click."""
    kinds = dict.fromkeys(kind.split()[0] for kind in kinds)
    of_kind = "".join(
        f'<label><input type="checkbox" name="kind" value="{escape(kind)}" checked>{escape(kind)}</label>'
        for kind in kinds
    )
    shown = "".join(
        f'<label><input type="checkbox" name="study" value="{part.name}" checked>'
        f"{escape(part.words['title'])}</label>"
        for part in parts
    )
    options = "".join(
        f'<option value="{part.name} {name}">{escape(part.words["title"])}: {escape(_column(part, name))}'
        "</option>"
        for part in parts
        for name in part.columns
    )
    return (
        f"<fieldset><legend>kind</legend>{of_kind}</fieldset><fieldset><legend>study</legend>{shown}</fieldset>"
        '<label class="order">sort by <select id="order"><option value="">as configured</option>'
        f'<option value="model">model</option>{options}</select></label>'
    )


def _legend(part):
    """The lines of a study and its range, in words."""
    keys = "".join(
        f'<li><svg viewBox="0 0 34 10" aria-hidden="true"><path class="line s{i}" d="M2 5H32"/>'
        f'<path class="marks {shape} s{i}" d="{curves.mark(shape, 17, 5)}"/></svg>'
        f"{escape(part.words['labels'][measure])}</li>"
        for i, (measure, shape) in enumerate(zip(part.words["curves"], curves.SHAPES, strict=False), 1)
        if measure in set(part.table.measure)
    )
    reach = f"{curves.short(part.low)} to {curves.short(part.high)}"
    return (
        f'<li data-study="{part.name}"><b>{escape(part.words["title"])}</b> {escape(part.unit)}, '
        f"{reach} in every curve<ul>{keys}<li>"
        '<svg viewBox="0 0 34 10" aria-hidden="true"><path class="chance" d="M2 5H32"/></svg>'
        f"{escape(part.words['chance'])}</li></ul></li>"
    )


def _absent(parts):
    names = [words["title"].lower() for name, words in STUDIES.items() if name not in parts]
    return f"Not in this run: {escape(', '.join(names))}." if names else ""


def _help(part):
    words = part.words
    return (
        f'<section id="help-{part.name}"><h3>{escape(words["title"])}</h3><p>{escape(words["help"])}</p>'
        f"<p><b>Specificity.</b> {escape(words['specificity_help'])}</p>"
        f'<p><a class="file" href="../docs/{words["docs"]}">docs/{words["docs"]}</a></p></section>'
    )
