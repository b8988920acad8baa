"""Probes of one language in another that has no phone in common with it, for all layers of a model."""

import json
from pathlib import Path

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_languages import rows

log_to(snakemake.log[0])
layers = {}
for path in snakemake.input.embeddings:
    layers.setdefault(int(Path(path).stem.removeprefix("layer")), []).append(path)
found = rows(
    snakemake.wildcards.corpus,
    snakemake.wildcards.model,
    snakemake.input.utterances,
    snakemake.input.articulation,
    layers,
    json.loads(snakemake.params.options),
)
tables.write(found, snakemake.output[0])
