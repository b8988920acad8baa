"""The tone study over models and corpora: acoustic spans, variants of a model in order, published values."""

from pathlib import Path

import numpy as np
import pandas as pd

from phonoscope import tables
from phonoscope.probes.classification import one_se_interval, smallest_within_one_se
from phonoscope.probes.inference import bootstrap_mean, holm, paired_test
from phonoscope.studies import sheets

# Names of languages, as papers print them, for the codes that corpora use.
LANGUAGES = {
    "my": "Burmese",
    "th": "Thai",
    "lo": "Lao",
    "vi": "Vietnamese",
    "cmn": "Mandarin",
    "en": "English",
}
VANILLA, UNTRAINED = "vanilla", "untrained"


def compare(corpora, summaries, windows, items, left_out, notes, published, variants, roles):
    """All tables over corpora and models.

    Parameters
    ----------
    corpora : list of str
    summaries : list of path
        CSVs that ``tone_summary.summarise`` gave, of all corpora and models, named by their table.
    windows, items, left_out : lists of path
        Per corpus: acoustic scores, items, what was left out.
    notes : list of list of path
        Per corpus: notes of its alignment; none where it was not aligned.
    published : path
        Sheet of published numbers.
    variants, roles : dict

    Returns
    -------
    dict of str to pandas.DataFrame
        spans, windows, layers, variants, variant_tests, occlusion, profiles, confusion, folds, left_out.
    """
    found = {}
    for table in ("layers", "folds", "profiles", "occlusion", "confusion"):
        parts = [sheets.read(path) for path in summaries if Path(path).stem == table]
        found[table] = pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)
    acoustics = [acoustic(*each) for each in zip(corpora, windows, items, strict=True)]
    found["windows"] = pd.concat([curve for curve, _ in acoustics], ignore_index=True)
    found["spans"] = with_published(pd.DataFrame([span for _, span in acoustics]), published)
    layers = found["layers"]
    named = [variant(*each, variants, roles) for each in zip(layers.model, layers.language, strict=True)]
    layers.insert(3, "base", [base for base, _ in named])
    layers.insert(4, "variant", [tuned for _, tuned in named])
    # Beside every span of a layer, the stretch that the sound itself needs; of what is not told there is
    # none.
    known = found["spans"][found["spans"].above_chance == "yes"].set_index("corpus")
    for column, name in (
        ("span_ms", "acoustic_ms"),
        ("ci_low", "acoustic_low"),
        ("ci_high", "acoustic_high"),
    ):
        layers[name] = layers.corpus.map(known[column])
    found["variants"], found["variant_tests"] = compare_variants(layers, found["folds"], variants, roles)
    found["variants"]["published_order"] = _published_order(published)
    found["left_out"] = pd.concat(
        [_left_out(*each) for each in zip(corpora, left_out, notes, strict=True)], ignore_index=True
    )
    return found


def _published_order(path):
    """The order of variants that the paper gives."""
    published = pd.read_csv(path, dtype={"paper": str})
    rows = published[published.experiment == "variant order"]
    return "; ".join(f"{row.condition} ({row.paper}, {row.model})" for row in rows.itertuples())


def _left_out(corpus, path, notes):
    """What the choice of items left out, and before it the alignment: a row per reason and what it was
    about."""
    rows = [tables.read(path).to_pandas()]
    if notes:
        said = tables.read(notes).to_pandas()
        said = said[said.kind == "left_out"]
        # "no tone for the syllable 'x': reason" is one reason for many syllables.
        split = said.reason.str.extract(r"^(no tone for the syllable) '(?P<detail>.*)': (?P<why>.*)$")
        detail = split.detail.fillna(said.utterance_id)
        reason = ("no tone by the spelling: " + split.why).fillna("alignment: " + said.reason)
        counts = pd.DataFrame({"reason": reason, "detail": detail}).value_counts(sort=False)
        rows.append(counts.rename("items").reset_index())
    columns = ["corpus", "reason", "detail", "items"]
    return pd.concat(rows, ignore_index=True).assign(corpus=corpus)[columns]


def acoustic(corpus, path, items_path):
    """Windows and span of one corpus.

    Parameters
    ----------
    corpus : str
    path : path
        Scores as ``tone_acoustic.score`` gives them.
    items_path : path

    Returns
    -------
    windows : pandas.DataFrame
        corpus, language, window_ms, macro_f1, ci_low, ci_high, shuffled, majority.
    span : dict
        corpus, language, span_ms, ci_low, ci_high, best_ms, f1_at_span, f1_best, shuffled,
        above_chance (is the mean over windows above that of shuffled labels, by its interval?), n_items,
        n_classes, n_folds, fold_by.
    """
    widths, scores, shuffled, majority = by_window(path)
    items = tables.read(items_path)
    known = tables.provenance(items)
    where = {"corpus": corpus, "language": " ".join(sorted(set(items["language"].to_pylist())))}
    low, high = bootstrap_mean(scores)
    windows = pd.DataFrame(
        {
            **where,
            "window_ms": widths,
            "macro_f1": scores.mean(axis=0),
            "ci_low": low,
            "ci_high": high,
            "shuffled": shuffled.mean(axis=0),
            "majority": majority,
        }
    )
    chosen, best = smallest_within_one_se(scores), int(windows.macro_f1.argmax())
    first, last = one_se_interval(scores)
    return windows, {
        **where,
        "span_ms": widths[chosen],
        "ci_low": widths[first],
        "ci_high": widths[last],
        "best_ms": widths[best],
        "f1_at_span": windows.macro_f1[chosen],
        "f1_best": windows.macro_f1[best],
        "shuffled": windows.shuffled[best],
        # Over all windows: the best of many would be above chance by choice alone.
        "above_chance": "yes"
        if bootstrap_mean((scores - shuffled).mean(1, keepdims=True))[0][0] > 0
        else "no",
        "n_items": items.num_rows,
        "n_classes": len(known["classes"]),
        "n_folds": known["folds"],
        "fold_by": known["fold_by"],
    }


def by_window(path):
    """Acoustic scores as arrays.

    Parameters
    ----------
    path : path
        As ``tone_acoustic.score`` gives them.

    Returns
    -------
    widths : array of shape (n_windows,)
        ms, rising.
    scores, shuffled : arrays of shape (n_folds, n_windows)
        Macro-F1 of the probe, and of one on shuffled labels.
    majority : float
        Macro-F1 of the commonest class, mean over folds.
    """
    rows = tables.read(path).to_pandas()
    majority = rows[rows.probe == "majority"].value.mean()
    rows = rows[rows.probe != "majority"]
    rows = rows.assign(window=rows.target.astype(float), fold=rows.test.astype(int))
    scores, shuffled = (
        rows[rows.probe == probe].pivot(index="fold", columns="window", values="value")
        for probe in ("logistic", "shuffled")
    )
    return scores.columns.to_numpy(), scores.to_numpy(), shuffled.to_numpy(), majority


def with_published(spans, path):
    """Spans beside the published ones: published_ms, published_precision, difference_ms, source."""
    published = pd.read_csv(path, dtype={"paper": str})
    published = published[published.experiment == "acoustic span"].set_index("condition")
    named = spans.language.map(lambda code: LANGUAGES.get(code, code))
    found = published.reindex(named)
    return spans.assign(
        published_ms=found.value_high.to_numpy(),
        published_precision=found.precision.fillna("").to_numpy(),
        difference_ms=spans.span_ms.to_numpy() - found.value_high.to_numpy(),
        source=(found.paper.fillna("") + " " + found.source.fillna("")).str.strip().to_numpy(),
    )


def variant(model, language, variants, roles):
    """What ``model`` is on a corpus of ``language``: its base model, and how it was tuned.

    Parameters
    ----------
    model, language : str
    variants : dict of str to dict
        Model to ``of`` (its base), ``task`` and, for recognisers, ``language``.
    roles : dict of str to str

    Returns
    -------
    base, tuned : str
        ``target ASR`` for recognition of the corpus's own language; ``vanilla``; ``untrained``.
    """
    if model in variants:
        how = variants[model]
        tongue = how.get("language")
        name = LANGUAGES.get(tongue, tongue)
        if tongue and tongue == language:
            return how["of"], f"target {how['task']}"
        return how["of"], f"{name} {how['task']}" if tongue else how["task"]
    role = roles.get(model, "trained")
    if role == "baseline":
        return model, role
    if role.startswith(UNTRAINED):
        return role.removeprefix(UNTRAINED).removeprefix(" of ") or model, UNTRAINED
    return model, VANILLA


def compare_variants(layers, folds, variants, roles):
    """Variants of each base model in order of their best layer, and tests of every pair.

    Parameters
    ----------
    layers, folds : pandas.DataFrame
        As ``tone_summary.summarise`` gives them, of all models and corpora.
    variants, roles : dict

    Returns
    -------
    order : pandas.DataFrame
        corpus, language, base, variant, model, rank, best_layer, macro_f1, ci_low, ci_high, mean_f1 (over
        layers), shuffled, span_ms (at the best layer), span_low, span_high.
    tests : pandas.DataFrame
        corpus, base, variant_a, variant_b, model_a, model_b, measure, n_folds, mean_difference, statistic,
        p, p_holm, note: Wilcoxon's signed-rank test over folds, of the best layers' macro-F1 and of spans;
        Holm's correction within corpus, base and measure.
    """
    order, tests = [], []
    for (corpus, language), mine in layers.groupby(["corpus", "language"], sort=False):
        named = {model: variant(model, language, variants, roles) for model in mine.model.unique()}
        for base in dict.fromkeys(of for of, _ in named.values()):
            own = {model: tuned for model, (of, tuned) in named.items() if of == base}
            rows = _ranked(mine, folds[folds.corpus == corpus], own)
            order.append(rows.assign(corpus=corpus, language=language, base=base))
            tests += _tests(rows, folds[folds.corpus == corpus], {"corpus": corpus, "base": base})
    columns = ["corpus", "language", "base", "variant", "model", "rank", "best_layer", "macro_f1", "ci_low"]
    columns += ["ci_high", "mean_f1", "shuffled", "above_chance", "span_ms", "span_low", "span_high"]
    names = ["corpus", "base", "variant_a", "variant_b", "model_a", "model_b", "measure", "n_folds"]
    names += ["mean_difference", "statistic", "p", "p_holm", "note"]
    return pd.concat(order).reindex(columns=columns), pd.DataFrame(tests, columns=names)


def _ranked(layers, folds, named):
    rows = []
    for model, tuned in named.items():
        part = layers[layers.model == model]
        best = part.loc[part.macro_f1.idxmax()]
        spans = _over_layers(folds[folds.model == model], "span_ms")
        low, high = bootstrap_mean(spans.to_numpy()[:, None]) if len(spans) else ([np.nan], [np.nan])
        rows.append(
            {"variant": tuned, "model": model, "best_layer": best.layer, "mean_f1": part.macro_f1.mean()}
            | {name: best[name] for name in ("macro_f1", "ci_low", "ci_high", "shuffled", "above_chance")}
            | {"span_ms": spans.mean(), "span_low": low[0], "span_high": high[0]}
        )
    rows = pd.DataFrame(rows).sort_values("macro_f1", ascending=False, kind="stable")
    return rows.assign(rank=np.arange(1, len(rows) + 1))


def _over_layers(folds, measure):
    """Mean over layers of every fold."""
    return folds.groupby("fold")[measure].mean().dropna()


def _tests(rows, folds, where):
    """Every pair of variants, the better one first: at their best layers, and over all layers."""
    best = dict(zip(rows.model, rows.best_layer, strict=True))
    per_fold = {
        ("macro_f1", model): folds[(folds.model == model) & (folds.layer == layer)].set_index("fold").macro_f1
        for model, layer in best.items()
    }
    for measure, column in (("mean_f1", "macro_f1"), ("span_ms", "span_ms")):
        per_fold |= {(measure, model): _over_layers(folds[folds.model == model], column) for model in best}
    found = []
    for measure in ("macro_f1", "mean_f1", "span_ms"):
        pairs = [(a, b) for i, a in enumerate(rows.itertuples()) for b in rows.iloc[i + 1 :].itertuples()]
        part = []
        for a, b in pairs:
            one, other = per_fold[measure, a.model].align(per_fold[measure, b.model], join="inner")
            n, mean, statistic, p, note = paired_test(one, other)
            part.append(
                where
                | {"variant_a": a.variant, "variant_b": b.variant, "model_a": a.model, "model_b": b.model}
                | {"measure": measure, "n_folds": n, "mean_difference": mean}
                | {"statistic": statistic, "p": p, "note": note.replace("speakers", "folds")}
            )
        # What tuning changed is one question, which variant is the better one another.
        for asked in (True, False):
            family = [each for each in part if (VANILLA in (each["variant_a"], each["variant_b"])) == asked]
            adjusted = holm([each["p"] for each in family])
            found += [each | {"p_holm": p} for each, p in zip(family, adjusted, strict=True)]
    return found
