"""How each format is read, as the workflow does it; what comes back is checked to be a whole table."""

import numpy as np

OPTIONS = {
    "rate": 200,
    "cutoff_hz": 20,
    "order": 6,
    "zscore": "file",
    "min_sd_mm": 0.5,
    "max_missing": 0.5,
    "max_length_difference_s": 0.25,
}
CORPUS = {"name": "c", "shards": 1, "on_error": "stop", "axes": {"x": "+x", "z": "+z"}, "ema_rate": None}
TIERS = {"phone": "Segment"}


def corpus(reader, sensors=None, ema=None, speakers=(), **keys):
    """A reading of a corpus: both jobs that open its recordings."""

    def read(folder):
        from phonoscope.corpora import table, tusom
        from phonoscope.corpora.articulation import filter_ema
        from phonoscope.corpora.tabulate import tabulate

        for cached in (table._by_utterance, table._segments_by_utterance, tusom.entries):
            cached.cache_clear()
        files = {"audio": "{stem}.wav"} | ({"ema": ema} if ema else {})
        block = (
            CORPUS | {"path": str(folder), "reader": reader, "files": files, "sensors": sensors or {}} | keys
        )
        rows = [{"speaker": name} for name in speakers]
        shard = "bucket0"
        whole_corpus(*tabulate(block, rows, shard))
        if sensors:
            whole_movement(*filter_ema(block, rows, shard, OPTIONS), sensors)

    return read


def whole_corpus(utterances, segments, notes):
    from phonoscope import tables

    assert utterances.schema.equals(tables.UTTERANCES) and notes.schema.equals(tables.NOTES)
    utterances.validate(full=True)
    ids = utterances["utterance_id"].to_pylist()
    assert ids and len(set(ids)) == len(ids) and all(ids)
    assert all(0 < seconds < np.inf for seconds in utterances["duration_s"].to_pylist())
    whole_segments(segments.to_pylist(), segments.schema)


def whole_segments(rows, schema):
    from phonoscope import tables

    assert schema.equals(tables.SEGMENTS)
    for row in rows:
        assert isinstance(row["label"], str) and row["tier"], row
        assert 0 <= row["start_s"] <= row["end_s"] < np.inf, row


def whole_movement(articulation, quality, notes, sensors):
    from phonoscope import tables

    channels = [f"{sensor}_{axis}" for sensor in sensors for axis in "xz"]
    assert articulation.schema.equals(tables.articulation_schema(channels))
    assert quality.schema.equals(tables.QUALITY) and notes.schema.equals(tables.NOTES)
    articulation.validate(full=True)
    times = articulation["time_s"].to_numpy()
    ids = np.asarray(articulation["utterance_id"].to_pylist(), dtype=object)
    assert np.isfinite(times).all()
    for name in set(ids):
        steps = np.diff(times[ids == name])
        assert np.allclose(steps, 1 / OPTIONS["rate"])
    for channel in channels:
        column = tables.numbers(articulation[channel])
        assert np.isfinite(column[np.asarray(articulation[channel].is_valid())]).all()
    assert any(articulation[channel].null_count < len(articulation) for channel in channels) or not len(times)


def labels(name):
    """A reading of a label file."""

    def read(folder):
        from phonoscope import tables
        from phonoscope.corpora.labels import read as read_labels

        rows = read_labels(folder / name, {"phone": "phones", "word": "words"} if "Grid" in name else TIERS)
        table = tables.from_rows([{"utterance_id": "u", **row} for row in rows], tables.SEGMENTS)
        whole_segments(table.to_pylist(), table.schema)

    return read


def audio(name):
    """A reading of an audio file alone."""

    def read(folder):
        from phonoscope.corpora.audio import load, probe

        info = probe(folder / name)
        samples, _ = load(folder / name)
        assert samples.ndim == 1 and samples.dtype == np.float32 and np.isfinite(samples).all()
        assert abs(len(samples) - info.duration_s * 16000) <= 2 and info.duration_s > 0

    return read


def embeddings(folder):
    from phonoscope.embeddings import read, utterance_ids

    ids = utterance_ids(folder / "layer1.parquet")
    found = read(folder / "layer1.parquet", threads=1)
    n, d = found.values.shape
    assert found.utterance_ids == ids and d == found.provenance["d"] == 8 and n == 1203
    assert found.values.dtype == np.float32 and len(found.frame) == len(found.utterance) == n
    assert np.isfinite(found.values).all()
    assert np.bincount(found.utterance, minlength=len(ids)).tolist() == [700, 3, 500]
    assert ids == ["u1", "u2", "u3"]


def speakers(folder):
    from phonoscope.corpora.shards import shard_names, speakers_of
    from phonoscope.corpora.sheets import SPEAKER_COLUMNS, read_speakers, settings

    rows = read_speakers(folder / "speakers.tsv")
    block = CORPUS | {"reader": "est", "sensors": {"TT": 1}, "speakers": str(folder / "speakers.tsv")}
    names = [row["speaker"] for row in rows]
    assert names and len(set(names)) == len(names)
    for row in rows:
        assert set(row) == set(SPEAKER_COLUMNS) and all(isinstance(cell, str) for cell in row.values())
        found = settings(block, row)
        assert found["ema_rate"] is None or 0 < found["ema_rate"] < np.inf
    assert sorted(sum((speakers_of(shard, 1, names) for shard in shard_names(1, names)), [])) == sorted(names)


def recordings(folder):
    from phonoscope.corpora.sheets import RECORDING_COLUMNS, read_recordings

    rows = read_recordings(folder / "recordings.tsv")
    assert rows and all(
        set(row) == set(RECORDING_COLUMNS) and row["utterance"] == key for key, row in rows.items()
    )


def config(folder):
    """What Snakemake does with a config file, and then the Snakefile."""
    from snakemake.common.configfile import load_configfile
    from snakemake_interface_common.exceptions import WorkflowError

    from phonoscope.errors import InputError
    from workflow.dag import settings
    from workflow.dag.configuration import refuse_repeated

    path = folder / "config.yaml"
    try:
        content = load_configfile(str(path))
    except (WorkflowError, ValueError, RecursionError) as error:  # Snakemake's own word on what is no YAML
        raise InputError(str(error), path=path, fix="mend the YAML") from error
    refuse_repeated([path])
    study = settings.load(content, str(path))
    for name in study.corpora:
        assert study.shards[name] and all(isinstance(shard, str) for shard in study.shards[name])
        assert study.corpus(name, settings.RECORDINGS + settings.CHANNELS).isprintable()
    for name in study.models:
        assert study.layers[name] and all(type(layer) is int for layer in study.layers[name])
        assert study.model(name).isprintable()
    for name in study.training:
        assert study.trained(name).isprintable()
    for section in ("articulation", "kinematics", "tone", "alignment", "calibration", "embeddings"):
        assert study.option(section, list(getattr(study, section))).isprintable()


def table_segments(folder):
    from phonoscope import tables
    from phonoscope.corpora import table

    table._segments_by_utterance.cache_clear()
    rows = table.segments(folder / "ema" / "s.parquet", "u1")
    whole_segments(
        rows, tables.from_rows([{"utterance_id": "u1", **row} for row in rows], tables.SEGMENTS).schema
    )


_TT = {"TT": "TT"}
READINGS = {
    "carstens_pos": corpus("carstens_pos", {"TT": 1, "UL": 2}, "{stem}.pos"),
    "carstens_ag500": corpus("carstens_ag500", {"TT": 1, "UL": 2}, "{stem}.pos"),
    "carstens_text": corpus("carstens_text", {"TT": 1, "UL": "Ch2"}, "{stem}.txt", ema_rate=200),
    "carstens_text_bare": corpus("carstens_text", {"TT": 1, "UL": 2}, "{stem}.txt", ema_rate=200),
    "emu": corpus("emu", {"TT": "tt"}, "{stem}_bndl"),
    "emu_json": corpus("emu_json", {"TT": "tt"}, "{stem}_bndl.json"),
    "est_binary": corpus("est", {"TT": "T3", "UL": "lip"}, "{stem}.ema"),
    "est_ascii": corpus("est", {"TT": "T3", "UL": "lip"}, "{stem}.ema"),
    "mview": corpus("mview", _TT, "{stem}.mat"),
    "spire": corpus("spire", {"TT": 1, "UL": 2}, "{stem}.pt"),
    "table": corpus("table", _TT),
    "table_segments": table_segments,
    "fleurs": corpus("fleurs"),
    "tusom": corpus("tusom"),
    "annotation": labels("r_annot.json"),
    "esps": labels("r.MAU"),
    "textgrid": labels("r.TextGrid"),
    "wav": audio("r.wav"),
    "flac": audio("r.flac"),
    "bundle_audio": audio("r_bndl.json"),
    "embeddings": embeddings,
    "speakers": speakers,
    "recordings": recordings,
    "config": config,
}
