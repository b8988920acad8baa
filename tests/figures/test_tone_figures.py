"""Figures of the tone study, on tables from one corpus and layer up to eight corpora and twelve models."""

import warnings

import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection
from matplotlib.text import Text

from phonoscope.figures import (
    curves,
    style,
    tone_confusion,
    tone_layers,
    tone_profiles,
    tone_spans,
    tone_variants,
    tone_windows,
)
from phonoscope.probes.inference import holm
from phonoscope.studies import tone_comparison, tone_summary

LANGUAGES = ["my", "th", "lo", "vi", "Naile", "Lumade", "x-tus", "Duneli"]
BASES = ["wav2vec2-large", "xls-r-300m", "mms-300m", "mhubert-147"]
TUNED = ["target ASR", "English ASR", "emotion", "sex", "speaker", "Mandarin ASR"]
FOLDS = ["corpus", "model", "layer", "fold", "macro_f1", "span_ms"]


class Tones:
    """Made-up tables of a tone study, of any size."""

    def __init__(self, corpora=3, bases=1, variants=3, n_layers=5, twins=1, baselines=1, focus=True,
                 occlusion=True, n_tones=5, interval=True):  # fmt: skip
        self.rng = np.random.default_rng(0)
        self.corpora = [f"fleurs-{name}" for name in LANGUAGES[:corpora]]
        self.base = {}
        for base in BASES[:bases]:
            names = [base, *[f"{base}-{name.lower().replace(' ', '-')}" for name in TUNED[: variants - 1]]]
            self.base |= dict.fromkeys(names, base)
        self.variant = {
            name: "vanilla" if name == base else TUNED[i % variants - 1]
            for i, (name, base) in enumerate(self.base.items())
        }
        self.roles = dict.fromkeys(self.base, "trained")
        for base in BASES[: min(twins, bases)]:
            self.add(f"{base}-untrained", base, "untrained", f"untrained of {base}")
        for name in ["mel", "mfcc"][:baselines]:
            self.add(name, name, "vanilla", "baseline")
        self.n_layers, self.focus, self.occlusion, self.interval = n_layers, focus, occlusion, interval
        self.tones = [f"T{i}" for i in range(n_tones)]

    def add(self, name, base, variant, role):
        self.base[name], self.variant[name], self.roles[name] = base, variant, role

    def around(self, value, half, names=("ci_low", "ci_high")):
        half = half if self.interval else np.nan
        return dict(zip(names, [value - half, value + 0.9 * half], strict=True))

    def rows(self):
        for i, corpus in enumerate(self.corpora):
            for j, model in enumerate(self.base):
                depth = 1 if self.roles[model] == "baseline" else self.n_layers
                for layer in range(depth):
                    x = layer / max(self.n_layers - 1, 1)
                    kind = self.roles[model].partition(" ")[0]
                    f1 = {
                        "trained": 0.5 + 0.25 * np.sin(2.5 * x) + 0.02 * j,
                        "untrained": 0.35,
                        "baseline": 0.4,
                    }
                    span = {"trained": 70 + 200 * x + 12 * j, "untrained": 430}.get(kind, np.nan)
                    yield i, corpus, model, layer, f1[kind] - 0.03 * i, span

    def layers(self):
        found = []
        for i, corpus, model, layer, f1, span in self.rows():
            f1 += 0.01 * self.rng.normal()
            span = span if self.focus else np.nan
            width = 200 + 60 * layer if self.occlusion else np.nan
            found.append(
                {"corpus": corpus, "language": LANGUAGES[i], "model": model, "base": self.base[model]}
                | {"variant": self.variant[model], "layer": layer, "macro_f1": f1}
                | self.around(f1, 0.04)
                | {"unheard": f1 - 0.06 if i % 2 else np.nan, "shuffled": 0.19 + 0.02 * self.rng.normal()}
                | {"majority": 0.1, "span_ms": span} | self.around(span, 25, ("span_low", "span_high"))
                | {"flat_ms": 480.0 if self.focus else np.nan, "reach_ms": 500.0 if self.focus else np.nan}
                | {"occlusion_ms": width if width < 400 else np.nan, "occlusion_low": width - 40}
                | {"occlusion_high": width + 50 if width < 350 else width * np.inf}
                | {"acoustic_ms": 100 + 80 * (i % 2), "acoustic_low": 80 + 80 * (i % 2)}
                | {"acoustic_high": 140 + 80 * (i % 2)}
            )  # fmt: skip
        return pd.DataFrame(found)

    def windows(self):
        found = []
        for i, corpus in enumerate(self.corpora):
            for window in range(20, 320, 20):
                f1 = 0.25 + (0.45 - 0.04 * i) * (1 - np.exp(-window / (40 + 30 * (i % 2))))
                found.append(
                    {"corpus": corpus, "language": LANGUAGES[i], "window_ms": float(window), "macro_f1": f1}
                    | self.around(f1, 0.03) | {"shuffled": 0.2 + 0.01 * self.rng.normal(), "majority": 0.1}
                )  # fmt: skip
        return pd.DataFrame(found)

    def spans(self):
        windows = self.windows()
        found = []
        for i, (corpus, part) in enumerate(windows.groupby("corpus", sort=False)):
            span = {"corpus": corpus, "language": LANGUAGES[i], "span_ms": 100.0 + 80 * (i % 2)}
            span |= {"ci_low": 80.0 + 80 * (i % 2), "ci_high": 140.0 + 80 * (i % 2), "best_ms": 300.0}
            span |= {"f1_best": part.macro_f1.max(), "published_ms": 100.0 if i < 2 else np.nan}
            found.append(span)
        return pd.DataFrame(found)

    def profiles(self):
        offsets = np.arange(-490, 500, 20.0)
        found = []
        for _, corpus, model, layer, _, span in self.rows():
            if not np.isfinite(span) or not self.focus:
                continue
            share = np.exp(-np.abs(offsets) / (span / 2))
            found.append(
                pd.DataFrame({"offset_ms": offsets, "share": share / share.sum(), "flat_share": 0.02}).assign(
                    corpus=corpus, model=model, layer=layer
                )
            )
        columns = ["corpus", "model", "layer", "offset_ms", "share", "flat_share"]
        return pd.concat(found)[columns] if found else pd.DataFrame(columns=columns)

    def widths(self):
        columns = ["corpus", "model", "layer", "width_ms", "kept"]
        widths = [40.0, 80.0, 160.0, 400.0] if self.occlusion else []
        return pd.DataFrame(
            [(c, m, layer, width, 0.5) for _, c, m, layer, *_ in self.rows() for width in widths],
            columns=columns,
        )

    def confusion(self):
        found = []
        for _, corpus, model, layer, f1, _ in self.rows():
            for tone in self.tones:
                share = self.rng.dirichlet(np.ones(len(self.tones)))
                share = (1 - f1) * share + f1 * (np.array(self.tones) == tone)
                found += [
                    {"corpus": corpus, "model": model, "layer": layer, "tone": tone, "predicted": other}
                    | {"items": round(1000 * part), "share": part}
                    for other, part in zip(self.tones, share, strict=True)
                ]
        return pd.DataFrame(found)

    def variants(self):
        layers = self.layers()
        best = layers.loc[layers.groupby(["corpus", "model"], sort=False).macro_f1.idxmax()]
        best = best.rename(columns={"layer": "best_layer"})
        rank = best.groupby(["corpus", "base"]).macro_f1.rank(ascending=False).astype(int)
        columns = [
            "corpus",
            "language",
            "base",
            "variant",
            "model",
            "rank",
            "best_layer",
            "macro_f1",
            "ci_low",
        ]
        columns += ["ci_high", "shuffled", "span_ms", "span_low", "span_high"]
        return best.assign(rank=rank)[columns]

    def tests(self):
        found = []
        for (corpus, base), part in self.variants().groupby(["corpus", "base"], sort=False):
            rows = list(part.sort_values("rank").itertuples())
            for measure in ("macro_f1", "span_ms"):
                pairs = [(a, b) for i, a in enumerate(rows) for b in rows[i + 1 :]]
                p = (
                    holm(self.rng.uniform(0, 0.02, len(pairs)))
                    if self.interval
                    else np.full(len(pairs), np.nan)
                )
                found += [
                    {"corpus": corpus, "base": base, "variant_a": a.variant, "variant_b": b.variant}
                    | {"model_a": a.model, "model_b": b.model, "measure": measure, "p_holm": value}
                    for (a, b), value in zip(pairs, p, strict=True)
                ]
        columns = ["corpus", "base", "variant_a", "variant_b", "model_a", "model_b", "measure", "p_holm"]
        return pd.DataFrame(found, columns=columns)


SIZES = {
    "least": {"corpora": 1, "variants": 1, "n_layers": 1, "twins": 0, "baselines": 0, "n_tones": 2,
              "interval": False},
    "bare": {"corpora": 1, "focus": False, "occlusion": False, "n_layers": 1},
    "baseline": {"corpora": 2, "bases": 0, "baselines": 1},
    "demo": {"baselines": 0, "variants": 4},
    "many": {"corpora": 8, "bases": 4, "n_layers": 25, "n_tones": 8},
    "tuned": {"corpora": 4, "variants": 7, "n_layers": 13},
}  # fmt: skip
DRAW = {
    "windows": lambda t: tone_windows.draw(t.windows(), t.spans()),
    "layers": lambda t: tone_layers.draw(t.layers(), t.spans(), t.roles),
    "spans": lambda t: tone_spans.draw(t.layers(), t.widths(), t.roles),
    "profiles": lambda t: tone_profiles.draw(t.profiles(), t.spans(), t.corpora[0]),
    "variants": lambda t: tone_variants.draw(t.variants(), t.tests(), t.layers(), t.roles),
    "confusion": lambda t: tone_confusion.draw(t.confusion(), t.layers()),
}


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def texts(drawn):
    drawn.draw_without_rendering()  # tick labels are made when drawn
    return [text.get_text() for text in drawn.findobj(Text) if text.get_visible() and text.get_text()]


def drawn_lines(ax):
    """Data of the lines of a panel, as tuples."""
    return [tuple(np.asarray(line.get_ydata(), dtype=float)) for line in ax.lines]


def panel(drawn, title):
    return next(ax for ax in drawn.axes if ax.get_title(loc="left") == title)


def test_made_up_tables_have_the_columns_of_true_ones():
    made = Tones()
    # What the comparison of corpora adds.
    added = {"base", "variant", "acoustic_ms", "acoustic_low", "acoustic_high"}
    assert set(made.layers()) <= {*tone_summary.COLUMNS["layers"], *added}
    for name, rows in (
        ("profiles", made.profiles()),
        ("occlusion", made.widths()),
        ("confusion", made.confusion()),
    ):
        assert set(rows) <= set(tone_summary.COLUMNS[name]), name
    warnings.simplefilter("ignore", DeprecationWarning)  # of pandas, on what is not tested here
    order, tests = tone_comparison.compare_variants(
        made.layers().assign(above_chance="yes"), pd.DataFrame(columns=FOLDS), {}, made.roles
    )
    assert set(made.variants()) <= set(order) and set(made.tests()) <= set(tests)


@pytest.mark.parametrize("name", DRAW)
@pytest.mark.parametrize("size", [pytest.param("many", marks=pytest.mark.slow), *sorted({*SIZES} - {"many"})])
def test_labels_do_not_collide_and_no_panel_is_empty(name, size):
    drawn = DRAW[name](Tones(**SIZES[size]))
    drawn.draw_without_rendering()
    renderer = drawn.canvas.get_renderer()
    for ax in drawn.axes:
        assert ax.has_data()
        for axis in (ax.xaxis, ax.yaxis):
            low, high = sorted(axis.get_view_interval())
            labels = [t.label1 for t in axis.get_major_ticks() if low <= t.get_loc() <= high]
            boxes = [
                label.get_window_extent(renderer)
                for label in labels
                if label.get_text() and label.get_visible()
            ]
            assert not any(one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])
    boxes = [ax.get_tightbbox(renderer) for ax in drawn.axes]
    assert not any(one.overlaps(two) for i, one in enumerate(boxes) for two in boxes[:i])
    for legend in drawn.legends:
        box = legend.get_window_extent(renderer)
        assert not any(box.overlaps(other) for other in boxes) and box.width < drawn.bbox.width


@pytest.mark.parametrize("name", DRAW)
def test_tables_without_rows_say_so(name):
    made = Tones()
    for table in ("layers", "windows", "spans", "profiles", "widths", "confusion", "variants", "tests"):
        setattr(made, table, getattr(made, table)().iloc[:0].copy)
    assert any(said.startswith(("No ", "Neither ")) for said in texts(DRAW[name](made)))


@pytest.mark.parametrize("name", DRAW)
def test_the_same_figure_gives_the_same_bytes(name, tmp_path):
    for i in range(2):
        style.save(DRAW[name](Tones(corpora=2, variants=2)), tmp_path / f"{i}.svg", tmp_path / f"{i}.png")
    for kind in ("svg", "png"):
        assert (tmp_path / f"0.{kind}").read_bytes() == (tmp_path / f"1.{kind}").read_bytes()


def test_windows_show_curve_span_best_and_published():
    made = Tones(corpora=3)
    drawn = tone_windows.draw(made.windows(), made.spans())
    for i, corpus in enumerate(made.corpora):
        ax, rows = panel(drawn, corpus), made.windows().query("corpus == @corpus")
        assert tuple(rows.macro_f1) in drawn_lines(ax) and tuple(
            made.windows().query("corpus == @corpus").majority
        )
        uprights = [line.get_xdata()[0] for line in ax.lines if tuple(line.get_ydata()) == (0, 1)
                    and len(set(line.get_xdata())) == 1]  # fmt: skip
        assert uprights == [100 + 80 * (i % 2)]
        rings = [line.get_xdata()[0] for line in ax.lines if line.get_markerfacecolor() == "none"]
        assert rings == [300]
        published = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "v"]
        assert published == ([100] if i < 2 else [])
    said = texts(drawn)
    assert "span 180 (160–220) ms, best 300 ms" in said and "published span" in said
    spans = made.spans().assign(published_ms=np.nan)
    assert "published span" not in texts(tone_windows.draw(made.windows(), spans))


def test_a_span_at_chance_is_no_span():
    made = Tones(corpora=2)
    windows, other = made.windows(), made.corpora[1]
    windows.loc[windows.corpus == made.corpora[0], ["macro_f1", "ci_low", "ci_high"]] = [0.2, 0.17, 0.23]
    drawn = tone_windows.draw(windows.assign(shuffled=0.2), made.spans())
    said = {ax.get_title(loc="left"): ax.get_title(loc="right") for ax in drawn.axes}
    assert said == {made.corpora[0]: "not above shuffled labels at 100 ms",
                    other: "span 180 (160–220) ms, best 300 ms"}  # fmt: skip


def test_layers_show_models_levels_and_chance():
    made = Tones(corpora=2, variants=3)
    layers, spans = made.layers(), made.spans()
    drawn = tone_layers.draw(layers, spans, made.roles)
    for corpus in made.corpora:
        ax, lines = panel(drawn, corpus), drawn_lines(panel(drawn, corpus))
        for model, rows in layers[layers.corpus == corpus].groupby("model"):
            expected = tuple(rows.macro_f1) * (2 if made.roles[model] == "baseline" else 1)
            assert expected in lines, model
        best = spans[spans.corpus == corpus].f1_best.iloc[0]
        assert (best, best) in lines
        chance = layers[layers.corpus == corpus].groupby("layer").shuffled.mean().to_numpy()
        assert tuple(np.pad(chance, 1, "edge")) in lines
        dashed = {line.get_color() for line in ax.lines if line.get_markerfacecolor() == "white"}
        assert dashed == {style.looks(layers.model, made.roles)["wav2vec2-large"].colour}
    assert {*made.roles} - {"wav2vec2-large-untrained"} <= set(texts(drawn))


def test_a_layer_without_a_score_leaves_a_gap():
    made = Tones(corpora=1, variants=1, baselines=0, twins=0)
    layers = made.layers()
    layers.loc[2, "macro_f1"] = np.nan
    lines = drawn_lines(tone_layers.draw(layers, made.spans(), made.roles).axes[0])
    curve = next(line for line in lines if len(line) == 5)
    assert np.array_equal(curve, layers.macro_f1, equal_nan=True)


def test_variants_share_rows_with_their_base():
    bases = {
        "a": ["a", "a1"],
        "b": ["b1", "b"],
        "c": ["c", "c1", "c2", "c3", "c4", "c5"],
        "d": ["d"],
        "e": ["e"],
    }
    rows = [(model, base) for base, models in bases.items() for model in models]
    found = curves.packs(pd.DataFrame(rows * 2, columns=["model", "base"]), most=5)
    assert found == [["a", "a1", "b", "b1"], ["c", "c1", "c2", "c3", "c4"], ["c", "c5", "d", "e"]]


def test_spans_show_both_measures_and_their_references():
    made = Tones(corpora=1, variants=2, n_layers=8, baselines=1)
    layers = made.layers()
    drawn = tone_spans.draw(layers, made.widths(), made.roles)
    top, below = drawn.axes
    for model in ("wav2vec2-large", "wav2vec2-large-untrained"):
        rows = layers[layers.model == model]
        assert tuple(rows.span_ms) in drawn_lines(top)
        assert any(np.array_equal(line, rows.occlusion_ms, equal_nan=True) for line in drawn_lines(below))
    assert {(500.0, 500.0), (480.0, 480.0), (100.0, 100.0)} <= set(drawn_lines(top))
    assert (100.0, 100.0) in drawn_lines(below) and (500.0, 500.0) not in drawn_lines(below)
    # Of 200, 260 … ms the fifth is beyond what was tried.
    arrows = [
        tuple(np.round(line.get_xdata()))
        for line in below.lines
        if line.get_marker() == "^" and line.get_linestyle() == "None"
    ]
    assert arrows == [(4, 5, 6, 7)] * 3
    bars = next(bars for bars in below.collections if isinstance(bars, LineCollection))
    ends = [tuple(bar[:, 1]) for bar in bars.get_segments()]
    assert ends[:5] == [(160, 250), (220, 310), (280, 370), (340, 1.08 * 400), (400, 1.08 * 400)]
    said = texts(drawn)
    assert "beyond the widest, 400 ms" in said and "gradients: not measured for mel" in said
    assert below.get_ylim()[1] < np.inf


@pytest.mark.parametrize(("lacking", "note"), [("focus", "gradients"), ("occlusion", "occlusion")])
def test_what_was_not_measured_has_no_panels(lacking, note):
    made = Tones(corpora=2, baselines=0, **{lacking: False})
    drawn = tone_spans.draw(made.layers(), made.widths(), made.roles)
    assert len(drawn.axes) == 2 and f"{note}: not measured" in texts(drawn)


def test_profiles_show_every_layer_and_the_acoustic_span():
    made = Tones(corpora=2, variants=2, n_layers=4)
    profiles, corpus = made.profiles(), made.corpora[1]
    drawn = tone_profiles.draw(profiles, made.spans(), corpus)
    for model, rows in profiles[profiles.corpus == corpus].groupby("model"):
        ax = panel(drawn, model)
        for _, part in rows.groupby("layer"):
            assert tuple(part.share) in drawn_lines(ax)
        assert tuple(rows.flat_share[:50]) in drawn_lines(ax)
        (band,) = ax.patches
        assert band.get_xy()[0] == -90 and band.get_width() == 180
    assert "acoustic span, 180 ms" in texts(drawn)


@pytest.mark.parametrize("n_layers", [1, 2, 13, 25])
def test_layers_get_lighter_and_stay_visible(n_layers):
    colours, bar = style.shades(range(n_layers))
    grey = [np.dot(colour[:3], [0.299, 0.587, 0.114]) for colour in colours.values()]
    assert np.all(np.diff(grey) > 0) and max(grey) < 0.8
    assert bar.to_rgba(n_layers - 1) == pytest.approx(colours[n_layers - 1])


def test_variants_stand_in_order_with_tests_against_vanilla():
    made = Tones(corpora=2, variants=4)
    variants, tests, layers = made.variants(), made.tests(), made.layers()
    tests["p_holm"] = np.where(tests.measure == "macro_f1", 0.2, 0.0001)
    pair = (tests.model_a == "wav2vec2-large-emotion") & (tests.variant_b == "vanilla")
    tests.loc[pair & (tests.measure == "macro_f1"), "p_holm"] = 0.031
    drawn = tone_variants.draw(variants, tests, layers, made.roles)
    for corpus in made.corpora:
        ax = panel(drawn, corpus)
        rows = variants[(variants.corpus == corpus) & (variants.base == "wav2vec2-large")].sort_values("rank")
        labels = [label.get_text() for label in ax.get_yticklabels()]
        assert [label.replace(" (", "\n").partition("\n")[0] for label in labels[:-1]] == list(
            rows.variant
        ) and labels[-1] == "mel"
        points = [
            line.get_xdata()[0]
            for line in ax.lines
            if line.get_markersize() == 5 and line.get_marker() != "D"
        ]
        assert set(rows.macro_f1) - set(rows[rows.variant == "emotion"].macro_f1) <= set(points)
        bold = [
            text.get_text() for text in ax.texts if text.get_weight() == "bold" and "p" in text.get_text()
        ]
        assert bold == ["p = .031"] and sum(text.get_text() == "p = .200" for text in ax.texts) == 3
    best = variants[(variants.corpus == made.corpora[1]) & (variants.model == "wav2vec2-large")].iloc[0]
    at = layers[
        (layers.corpus == best.corpus) & (layers.model == best.model) & (layers.layer == best.best_layer)
    ]
    unheard = [
        line.get_xdata()[0]
        for line in panel(drawn, best.corpus).lines
        if line.get_markerfacecolor() == "none"
    ]
    assert at.unheard.iloc[0] in unheard and len(unheard) == 6
    assert texts(drawn).count("p < .001") == 2 * 4 and texts(drawn).count("no gradient") == 2


def test_confusion_is_that_of_the_best_layer_of_the_best_model():
    made = Tones(corpora=2, n_layers=3)
    confusion, layers = made.confusion(), made.layers()
    layers.loc[(layers.model == "wav2vec2-large") & (layers.layer == 1), "macro_f1"] = 0.91
    drawn = tone_confusion.draw(confusion, layers)
    rows = confusion.query("corpus == @made.corpora[0] and model == 'wav2vec2-large' and layer == 1")
    ax = panel(drawn, made.corpora[0])
    cells = [text.get_text() for text in ax.texts[:25]]
    assert cells == [f"{share:.2f}".replace("0.", ".", 1) for share in rows.share]
    said = [text.replace("\n", " ") for text in texts(drawn)]
    assert said.count("wav2vec2-large layer 1, macro-F1 0.91") == 2
    assert [label.get_text() for label in ax.get_yticklabels()][0] == f"T0 ({rows['items'][:5].sum()})"


def test_a_language_is_named_where_the_corpus_does_not_say_it():
    table = pd.DataFrame({"corpus": ["fleurs-vi", "tusom2021"], "language": ["vi", "East Tusom"]})
    assert style.titles(table) == {"fleurs-vi": "fleurs-vi", "tusom2021": "tusom2021 (East Tusom)"}
