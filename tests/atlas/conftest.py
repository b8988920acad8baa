"""Tables like those of a run, with names as nasty as file names allow, and the page that is made of them."""

import numpy as np
import pandas as pd
import pytest

from phonoscope.figures.atlas import page
from phonoscope.studies import atlas, sheets


class Run:
    """Tables of ``names`` under ``folder``, each of ``n_layers`` layers; the second is untrained, the last a
    baseline."""

    def __init__(
        self, folder, names, n_layers=5, corpora=("synthetic-ema",), tones=("lumade", "naile"), seed=0
    ):
        self.rng, self.folder = np.random.default_rng(seed), folder
        self.names, self.n_layers, self.corpora, self.tones = list(names), n_layers, corpora, tones
        self.models = {name: {"role": "trained", "depth": n_layers - 1} for name in names}
        self.models[names[1]]["role"] = f"untrained of {names[0]}"
        self.models[names[-1]] = {"role": "baseline", "depth": 0}
        self.tables = {
            "articulation": {corpus: self.articulation(corpus) for corpus in corpora},
            "kinematics": self.kinematics(),
            "tone": self.tone(),
            "alignment": {"retrieval": self.alignment()},
        }

    def layers(self, name):
        return range(self.models[name]["depth"] + 1)

    def measured(self, centre, value="r", chance="chance"):
        r = centre + 0.2 * self.rng.uniform()
        return {value: r, "ci_low": r - 0.03, "ci_high": r + 0.04, chance: 0.02 * self.rng.normal()}

    def write(self, rows, path):
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        sheets.write(pd.DataFrame(rows), self.folder / path)
        return self.folder / path

    def articulation(self, corpus):
        rows, cells = [], []
        for probe in ("ols", "ridge"):
            for name in self.names:
                kinds = [("E1", "utterances", 0.5), ("E1", "frames", 0.7), ("E4", "one speaker out", 0.4)]
                for experiment, split, centre in kinds:
                    for layer in self.layers(name):
                        where = {"model": name, "probe": probe, "experiment": experiment, "split": split}
                        rows.append(where | {"layer": layer, **self.measured(centre), "note": ""})
                for i in range(8):
                    case = {
                        "model": name,
                        "probe": probe,
                        "layer": 0,
                        "group": "AB"[i % 2],
                        "speaker": f"s{i}",
                    }
                    case |= {"task": "all", "condition": "all", "channel": "all", "note": ""}
                    cells.append(case | self.measured(0.6 - 0.1 * (i % 2)))
        return {
            "layers": self.write(rows, f"results/tables/{corpus}/layers.csv"),
            "E5_speakers": self.write(cells, f"results/tables/{corpus}/E5_speakers.csv"),
        }

    def kinematics(self):
        """Transfer on three corpora: with groups by language as spoken, without, and with one language."""
        rows, differences = [], []
        for probe in ("ols", "ridge"):
            for corpus in ("synthetic-ema", "native", "alike"):
                for name in self.names:
                    best = len(self.layers(name)) // 2
                    where = {"corpus": corpus, "model": name, "probe": probe, "experiment": "speakers"}
                    relations = [("speaker", "within", 0.6), ("speaker", "other", 0.5)]
                    if corpus != "alike":
                        relations += [("sex", "same", 0.9), ("native_language", "within", 0.6)]
                        relations += [("native_language", "same", 0.5), ("native_language", "other", 0.4)]
                    for layer in self.layers(name):
                        at = {"layer": layer, "best_layer": best}
                        for by, relation, centre in relations:
                            for kind in ("none", "affine"):
                                of = {"by": by, "relation": relation, "map": kind, "note": ""}
                                rows.append(where | of | at | self.measured(centre))
                        spoken = {"experiment": "groups", "by": "language", "map": "none", "note": ""}
                        for relation, centre in (("same", 0.55), ("other", 0.25)):
                            if corpus == "synthetic-ema":
                                rows.append(
                                    where | at | spoken | {"relation": relation} | self.measured(centre)
                                )
                                rows.append(
                                    where
                                    | at
                                    | spoken
                                    | {"relation": relation, "by": "sex"}
                                    | self.measured(2)
                                )
                        ratio = self.rng.uniform(0.7, 1.1)
                        of = {
                            "by": "native_language",
                            "map": "none",
                            "ratio": ratio,
                            "verdict": "not told apart",
                        }
                        of |= {"ratio_low": ratio - 0.1, "ratio_high": ratio + 0.2}
                        if corpus != "alike":
                            differences.append(where | of | at)
                            differences.append(where | of | at | {"by": "sex", "ratio": 9})
                        if corpus == "synthetic-ema":
                            apart = {"ratio": ratio / 2, "verdict": "worse to another language"}
                            apart |= {"ratio_low": ratio / 2 - 0.1, "ratio_high": ratio / 2 + 0.2}
                            differences.append(where | of | at | spoken | apart)
        found = {"transfer": rows, "contrast": differences}
        return {
            name: self.write(rows, f"results/tables/kinematics/{name}.csv") for name, rows in found.items()
        }

    def tone(self):
        """The third model was tuned from the first to the first language, the fourth to the second."""
        rows, folds = [], []
        for corpus in self.tones:
            for place, name in enumerate(self.names[:-1]):
                tuned = dict(zip(self.names[2:4], self.tones, strict=False)).get(name)
                variant = "vanilla" if tuned is None else f"{'target' if tuned == corpus else tuned} ASR"
                for layer in self.layers(name):
                    values = self.rng.uniform(0.3, 0.5, 6) + 0.4 * (place in (2, 3))
                    where = {"corpus": corpus, "model": name, "layer": layer}
                    folds += [
                        where | {"fold": i, "macro_f1": f, "span_ms": 80.0} for i, f in enumerate(values)
                    ]
                    mean = values.mean()
                    rows.append(
                        where
                        | {"language": corpus.title(), "base": self.names[0], "variant": variant}
                        | {"macro_f1": mean, "ci_low": mean - 0.03, "ci_high": mean + 0.03, "shuffled": 0.2}
                        | {"span_ms": 80 + layer if place else np.nan, "span_low": 70.0, "span_high": 95.0}
                        | {
                            "flat_ms": 480.0,
                            "acoustic_ms": 100.0,
                            "acoustic_low": 80.0,
                            "acoustic_high": 120.0,
                        }
                    )
        found = {"layers": rows, "folds": folds}
        return {name: self.write(rows, f"results/tables/tone/{name}.csv") for name, rows in found.items()}

    def alignment(self):
        rows = []
        for name in self.names[:3]:
            for measure in ("mean_pooled", "seqsim"):
                for pair in (("all", "all"), ("en", "fi")):
                    for layer in self.layers(name):
                        for subset, chance in (("full", 0.03), ("challenge", 0.08), ("random", 0.08)):
                            for metric in ("R@1", "MRR"):
                                case = {
                                    "corpus": "parallel",
                                    "model": name,
                                    "layer": layer,
                                    "measure": measure,
                                }
                                case |= dict(zip(("query", "candidate"), pair, strict=True))
                                case |= {"subset": subset, "metric": metric} | self.measured(0.1, "value")
                                rows.append(
                                    case | {"chance": chance, "p": 0.01 if subset == "challenge" else None}
                                )
        return self.write(rows, "results/tables/alignment/retrieval.csv")

    def collect(self, **options):
        return atlas.collect(self.models, self.tables, self.folder / "results", **options)

    def page(self):
        """Write the page as the workflow does; its path."""
        path = self.folder / "results" / "atlas.html"
        sheets.write(self.collect(), self.folder / "results" / "tables" / "atlas.csv")
        table = sheets.read(self.folder / "results" / "tables" / "atlas.csv")
        path.write_text(page(table), encoding="utf-8")
        return path


@pytest.fixture
def make_run(tmp_path):
    return lambda *args, **options: Run(tmp_path, *args, **options)


@pytest.fixture
def hostile():
    """Names that would break a page that trusted them."""
    marked = ["<script>alert('x')</script>", 'it\'s "quoted" & <b>bold</b>', "a</td></tr><!--<script>b"]
    return [*marked, "сеть-ß-声调-%DATA%-\\1", "mel", "mfcc"]


@pytest.fixture
def names():
    return ["base", "base-untrained", "base-asr-a", "base-asr-b", "other-10", "other-9", "mfcc"]
