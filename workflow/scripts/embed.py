"""The hidden states of one shard, in every layer of one model."""

import json
from pathlib import Path

from phonoscope.encoders.extract import extract

from phonoscope import tables
from phonoscope.encoders.load import load
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
model = json.loads(snakemake.params.model)
manifest = json.loads(Path(snakemake.input.model).read_text(encoding="utf-8"))
options = json.loads(snakemake.params.options) | {"batch_seconds": snakemake.resources.batch_seconds}
encoder = load(model, manifest.get("folder"), "cuda" if snakemake.resources.gpu else "cpu")
paths = dict(zip(encoder.layers, snakemake.output.layers, strict=True))
extract(
    encoder, tables.read(snakemake.input.utterances), paths, options, {"model": model, "manifest": manifest}
)
