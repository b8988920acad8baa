"""The tone study in the workflow: what its section may say, and what is made again after a change."""

import shutil

import numpy as np
import pytest

from phonoscope import tables
from phonoscope.errors import InputError
from workflow.dag import settings

TONE = {
    "corpora": ["toned"],
    "models": ["mel", "untrained"],
    "acoustic": {"windows_ms": [40, 80]},
    "focus": {"max_items": 4},
    "occlusion": {"max_items": 2, "half_ms": [50, 500], "models": ["untrained"]},
}


def toned(config):
    config["corpora"]["toned"] = {"reader": "table", "path": "toned", "shards": 1}
    config["tone"] = {
        key: dict(value) if isinstance(value, dict) else list(value) for key, value in TONE.items()
    }


@pytest.fixture
def config(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "speakers.tsv").write_text("speaker\nb\na\n", encoding="utf-8")
    toned(tiny)
    tiny["articulation"]["corpora"] = ["tiny"]
    return tiny


def test_models_that_start_from_the_waveform_have_a_focus(config):
    study = settings.load(config, "mine.yaml").tone
    assert study["focus"]["models"] == ["untrained"] and study["acoustic"]["hop_ms"] == 10
    config["tone"]["occlusion"].pop("models")
    assert settings.load(config, "mine.yaml").tone["occlusion"]["models"] == ["mel", "untrained"]


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ({"corpora": ["no"]}, ["tone.corpora", "no is not configured", "toned"]),
        ({"models": ["no"]}, ["tone.models", "no is not among"]),
        ({"focus": {"models": ["mel"]}}, ["tone.focus.models", "mel is not among", "untrained"]),
        ({"acoustic": {"windows_ms": [30]}}, ["tone.acoustic.windows_ms", "30 ms", "multiples of 20 ms"]),
        ({"acoustic": {"fmin_hz": 9000}}, ["tone.acoustic", "fmax_hz"]),
        ({"focus": {"bin_ms": 30}}, ["tone.focus", "500 ms cannot be cut"]),
        ({"occlusion": {"half_ms": [80, 40]}}, ["tone.occlusion.half_ms", "sort them"]),
        ({"variants": {"mel": {"of": "no", "task": "ASR"}}}, ["tone.variants.mel", "no is not configured"]),
        ({"variants": {"mel": {"of": "mfcc", "task": "x", "corpora": ["tiny"]}}}, ["variants.mel.corpora"]),
        ({"windows": []}, ["unknown key 'windows'"]),
    ],
)
def test_a_mistake_is_named_with_its_place_and_the_fix(config, section, words):
    config["tone"] |= section
    with pytest.raises(InputError) as caught:
        settings.load(config, "mine.yaml")
    for word in words:
        assert word in str(caught.value)


def test_calibration_needs_a_known_corpus(config):
    config["calibration"] = {"tone": ["no"]}
    with pytest.raises(InputError, match="calibration.tone"):
        settings.load(config, "mine.yaml")


def write_toned(folder):
    """Two tones, which are two pitches, by four voices: eight recordings of four seconds."""
    import soundfile

    folder.mkdir()
    rng, rows, segments = np.random.default_rng(0), [], []
    for name in ("a", "b", "c", "d"):
        for index in range(2):
            audio = 0.01 * rng.normal(size=64000)
            row = {"utterance_id": f"{name}{index}", "speaker": name, "language": "L", "split": "test"}
            rows.append(row | {"audio": f"{name}{index}.flac"})
            for k in range(12):
                start, tone = 0.1 + 0.3 * k, k % 2
                n = np.arange(round(0.2 * 16000))
                at = round(start * 16000)
                audio[at : at + len(n)] += 0.2 * np.sin(2 * np.pi * (300 + 500 * tone) * n / 16000)
                where = {
                    "utterance_id": row["utterance_id"],
                    "start_s": start,
                    "end_s": start + 0.2,
                    "score": 1.0,
                }
                segments.append(where | {"tier": "tone", "label": f"t{tone}"})
            soundfile.write(folder / f"{name}{index}.flac", audio, 16000)
    tables.write(tables.from_rows(rows, tables.UTTERANCES), folder / "recordings.parquet")
    tables.write(tables.from_rows(segments, tables.SEGMENTS), folder / "segments.parquet")


@pytest.fixture(scope="module")
def studied(finished, tmp_path_factory):
    """The tiny project after a run of the tone study. Not to be changed."""
    folder = tmp_path_factory.mktemp("toned") / "project"
    shutil.copytree(finished.folder, folder, symlinks=True)
    project = type(finished)(folder)
    write_toned(folder / "toned")
    project.config(toned)
    project.snakemake()
    return project


@pytest.fixture
def project(studied, tmp_path):
    folder = tmp_path / "project"
    shutil.copytree(studied.folder, folder, symlinks=True)
    return type(studied)(folder)


PROFILES = {("draw_tone_profiles", "corpus=toned")}
OVER_ALL = PROFILES | {
    (rule, "")
    for rule in ("compare_tones", "show_tones", "draw_tone_windows", "draw_tone_layers", "draw_tone_spans")
    + ("draw_tone_variants", "draw_tone_confusion", "collect_atlas", "draw_atlas")
}
LAYERS = {"mel": [0], "untrained": [0, 2]}


def summary(*models):
    return {("summarise_tones", f"corpus=toned, model={model}") for model in models}


def measured(rule):
    return {(rule, "corpus=toned, model=untrained, shard=bucket0")}


def scored(*models):
    return {
        ("score_tones", f"corpus=toned, layer={layer}, model={model}")
        for model in models
        for layer in LAYERS[model]
    }


def plain(jobs):
    """Jobs with their wildcards in the order of the alphabet."""
    return {(rule, ", ".join(sorted(wildcards.split(", ")))) for rule, wildcards in jobs}


@pytest.mark.slow
class TestReruns:
    def planned(self, project, change):
        def both(config):
            toned(config)
            change(config)

        project.config(both)
        return plain(project.planned())

    def test_nothing(self, project):
        assert self.planned(project, lambda config: None) == set()

    def test_windows(self, project):
        found = self.planned(project, lambda config: config["tone"]["acoustic"].update(n_mels=40))
        assert found == {("score_windows", "corpus=toned")} | OVER_ALL

    def test_focus(self, project):
        found = self.planned(project, lambda config: config["tone"]["focus"].update(form="rms"))
        assert found == measured("focus") | summary("untrained") | OVER_ALL

    def test_occlusion(self, project):
        found = self.planned(project, lambda config: config["tone"]["occlusion"].update(neutral="silence"))
        assert found == measured("occlude") | summary("untrained") | OVER_ALL

    def test_penalty(self, project):
        found = self.planned(project, lambda config: config["tone"].update(C=[0.1]))
        below = measured("focus") | measured("occlude") | summary(*LAYERS) | OVER_ALL
        assert found == {("score_windows", "corpus=toned")} | scored(*LAYERS) | below

    def test_folds(self, project):
        found = self.planned(project, lambda config: config["tone"].update(folds=2))
        every = {("choose_tones", "corpus=toned"), ("score_windows", "corpus=toned")} | scored(*LAYERS)
        assert found == every | measured("focus") | measured("occlude") | summary(*LAYERS) | OVER_ALL

    def test_variant(self, project):
        change = {"mel": {"of": "untrained", "task": "x"}}
        found = self.planned(project, lambda config: config["tone"].update(variants=change))
        assert found <= OVER_ALL and ("compare_tones", "") in found

    def test_model_removed(self, project):
        def change(config):
            config["tone"]["models"].remove("mel")

        assert self.planned(project, change) == OVER_ALL


@pytest.mark.slow
def test_tones_that_are_pitches_are_told(studied):
    from phonoscope.studies import sheets

    folder = studied.folder / "results/tables/tone"
    layers = sheets.read(folder / "layers.csv").set_index(["model", "layer"])
    assert layers.macro_f1["mel", 0] > 0.95 and layers.shuffled["mel", 0] < 0.75
    assert layers.span_ms.notna()["untrained"].all() and layers.span_ms.isna()["mel"].all()
    spans = sheets.read(folder / "spans.csv")
    assert list(spans.span_ms) == [40] and list(spans.fold_by) == ["speaker"]
    assert (studied.folder / "results/figures/tone/spans.svg").stat().st_size > 1000
