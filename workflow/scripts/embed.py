"""The hidden states of one shard, in every layer of one model."""

import json

from phonoscope import tables
from phonoscope.encoders.extract import extract
from phonoscope.encoders.lease import device
from phonoscope.encoders.load import load
from phonoscope.encoders.manifest import held
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
use = device(snakemake.resources.gpu, snakemake.resources.gpu_needed)
model = json.loads(snakemake.params.model)
options = json.loads(snakemake.params.options) | {"batch_seconds": snakemake.resources.batch_seconds}
with held(snakemake.input.model) as manifest:
    encoder = load(model, manifest["folder"], use)
    paths = dict(zip(encoder.layers, snakemake.output.layers, strict=True))
    utterances = tables.read(snakemake.input.utterances)
    provenance = {"revision": manifest["commit"], "settings": model}
    notes = extract(encoder, utterances, paths, options, provenance, snakemake.params.on_error)
    tables.write(tables.from_rows(notes, tables.NOTES), snakemake.output.notes)
