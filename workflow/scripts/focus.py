"""Gradient profiles of one shard's tones, in every layer of one model."""

import json

from phonoscope import tables
from phonoscope.encoders.lease import device
from phonoscope.encoders.load import load
from phonoscope.encoders.manifest import held
from phonoscope.joblog import log_to
from phonoscope.studies.tone_focus import measure
from phonoscope.studies.tone_states import read_probes

log_to(snakemake.log[0])
use = device(snakemake.resources.gpu, snakemake.resources.gpu_needed)
with held(snakemake.input.model) as manifest:
    encoder = load(json.loads(snakemake.params.model), manifest["folder"], use)
    probes = dict(zip(snakemake.params.layers, map(read_probes, snakemake.input.probes), strict=True))
    options, stretch = json.loads(snakemake.params.options), json.loads(snakemake.params.stretch)
    where = snakemake.input.chosen, snakemake.input.utterances
    found = measure(encoder, *where, probes, options, **stretch)
    tables.write(found, snakemake.output[0])
