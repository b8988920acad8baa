"""Tables like those of a run, of any size, with values that look like results."""

import numpy as np
import pandas as pd
import pytest

NAMES = [
    *[
        "wav2vec2-large",
        "mms-300m",
        "wav2vec2-large-xlsr-53",
        "jonatasgrosman-wav2vec2-large-xlsr-53-russian",
    ],
    *["xlsr-300m-finnish-lm", "hubert-base", "wavlm-large", "data2vec-audio-large", "whisper-small"],
]
CHANNELS = ["LL_x", "LL_z", "TB_x", "TB_z", "TD_x", "TD_z", "TT_x", "TT_z", "UL_x", "UL_z"]


class Run:
    """Fake results of ``n_models`` trained models, untrained twins of some, and baselines."""

    def __init__(
        self, n_models=2, n_layers=9, n_speakers=8, twins=1, baselines=2, channels=6, probes=("ridge",)
    ):
        self.rng = np.random.default_rng(0)
        trained = NAMES[:n_models]
        self.roles = dict.fromkeys(trained, "trained")
        self.roles |= {f"{name}-untrained": f"untrained of {name}" for name in trained[:twins]}
        self.roles |= dict.fromkeys(["mfcc", "mel"][:baselines], "baseline")
        half = (n_speakers + 1) // 2
        self.groups = {f"fin_kh{i + 1}_{'fm'[i % 2]}": "Finnish" for i in range(half)}
        self.groups |= {f"rus_kh{i + 1}_{'fm'[i % 2]}": "Russian" for i in range(half, n_speakers)}
        self.n_layers, self.n_speakers, self.probes = n_layers, n_speakers, list(probes)
        self.channels = CHANNELS[:channels]

    def depth(self, model):
        return 1 if self.roles[model] == "baseline" else self.n_layers

    def truth(self, model, layer):
        index = list(self.roles).index(model)
        if self.roles[model] == "baseline":
            return 0.38 + 0.05 * (model == "mfcc")
        if self.roles[model].startswith("untrained"):
            return 0.33 - 0.15 * layer / max(self.n_layers, 2)
        x = layer / max(self.n_layers - 1, 1)
        return 0.48 + 0.03 * (index % 5) + 0.18 * np.sin(np.pi * (0.1 + 0.8 * x) ** (1 + 0.1 * index))

    def measured(self, r):
        spread = 0.12 / np.sqrt(self.n_speakers)
        interval = self.n_speakers > 1
        r = r + 0.01 * self.rng.normal()
        low, high = (r - 1.96 * spread, r + 1.7 * spread) if interval else (np.nan, np.nan)
        chance = 0.01 * self.rng.normal()
        common = {"n_speakers": self.n_speakers, "n_test": 3000, "note": ""}
        return {"r": r, "ci_low": low, "ci_high": high, "chance": chance, **common}

    def rows(self):
        for probe in self.probes:
            for model in self.roles:
                for layer in range(self.depth(model)):
                    yield {"model": model, "probe": probe, "layer": layer}, self.truth(model, layer)

    def layers(self):
        kinds = [("E1", "utterances", 0), ("E1", "frames", 0.12), ("E4", "one speaker out", -0.09)]
        return pd.DataFrame(
            row | {"experiment": e, "split": split} | self.measured(r + more)
            for row, r in self.rows()
            for e, split, more in kinds
        )

    def e2(self):
        effect = {c: 0.15 * np.sin(2.1 * i) for i, c in enumerate(self.channels)}
        return pd.DataFrame(
            row | {"split": "utterances", "channel": channel} | self.measured(r + effect[channel])
            for row, r in self.rows()
            for channel in self.channels
        )

    def e3(self, seconds=(20, 30, 60, 120, 300, 600, 1200)):
        return pd.DataFrame(
            row | {"layer": layer, "split": "utterances", "seconds": float(s)} | self.measured(r - 3.5 / s)
            for row, r in self.rows()
            if row["layer"] == self.depth(row["model"]) // 2
            for layer in ("all", str(row["layer"]))
            for s in seconds
        )

    def e5(self, tasks=("T1", "T2", "T3"), conditions=("L1", "L1+accent", "L2")):
        levels = [("all", "all"), *[(t, "all") for t in tasks], *[("all", c) for c in conditions]]
        return pd.DataFrame(
            row
            | {
                "layer": "best",
                "best_layer": row["layer"],
                "group": group,
                "task": task,
                "condition": condition,
            }
            | {"channel": "all"}
            | self.measured(r - 0.05 * len(task) - 0.03 * len(condition) + 0.1 * (task == "T2"))
            for row, r in self.rows()
            if row["layer"] == self.depth(row["model"]) // 2
            for group in dict.fromkeys(self.groups.values())
            for task, condition in levels
        )

    def speakers(self):
        voice = {s: 0.1 * self.rng.normal() for s in self.groups}
        return pd.DataFrame(
            row
            | {"experiment": "E4", "split": "one speaker out", "speaker": speaker}
            | {"r": r + min(voice[speaker] + 0.02 * self.rng.normal(), 0.97 - r)}
            for row, r in self.rows()
            if row["layer"] == self.depth(row["model"]) // 2
            for speaker in self.groups
        )

    def quality(self):
        rows = []
        for i, speaker in enumerate(self.groups):
            for j, channel in enumerate(self.channels):
                dead = (i, j) == (1, 2)
                row = {"speaker": speaker, "channel": channel, "n_recordings": 6, "n_samples": 9000}
                row |= {"sd_mm": 0.0 if dead else 1 + 3 * self.rng.uniform()}
                row |= {"missing_share": 1.0 if dead else max(0, 0.2 * self.rng.normal())}
                row |= {
                    "n_left_out": 6 if dead else 2 * ((i, j) == (0, 1)),
                    "left_out": "all zero" if dead else "",
                }
                rows.append(row)
        return pd.DataFrame(rows)

    def predictions(self, duration=4.2, rate=50):
        time = np.arange(0, duration, 1 / rate)
        frames = []
        for i, channel in enumerate(self.channels):
            measured = 3 * np.sin(2 * np.pi * (1.3 + 0.4 * i) * time + i) + np.sin(17 * time) + 10 * i - 40
            predicted = measured + 1.2 * np.sin(2 * np.pi * 2.2 * time)
            if i == 1:
                measured[60:90] = np.nan
            frames.append(
                pd.DataFrame({"time_s": time, "measured_mm": measured, "predicted_mm": predicted}).assign(
                    utterance_id="fin_kh1_f_A_T1_003", channel=channel, r=0.81 - 0.07 * i
                )
            )
        return pd.concat(frames, ignore_index=True)

    def audio(self, duration=4.2, rate=16000):
        time = np.arange(int(duration * rate)) / rate
        voiced = np.clip(np.sin(2 * np.pi * 1.1 * time) + 0.6, 0, 1)
        harmonics = sum(np.sin(2 * np.pi * 120 * k * time) / k for k in range(1, 40))
        return (0.2 * voiced * harmonics + 0.01 * self.rng.normal(size=len(time))).astype(np.float32), rate

    def segments(self, duration=4.2):
        edges = np.cumsum(self.rng.uniform(0.03, 0.14, size=200))
        edges = np.concatenate([[0], edges[edges < duration]])
        labels = ["p", "a", "tʃ", "ʊ", "sil", "m", "ɨ", "s"]
        rows = {"start_s": edges[:-1], "end_s": edges[1:], "label": np.resize(labels, len(edges) - 1)}
        return pd.DataFrame(rows).assign(tier="phone", utterance_id="fin_kh1_f_A_T1_003")


@pytest.fixture
def make_run():
    return Run
