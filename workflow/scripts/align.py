"""Align the recordings of one shard with their texts."""

import json

from phonoscope import tables
from phonoscope.alignment.aligners import load
from phonoscope.alignment.segments import align
from phonoscope.encoders.lease import device
from phonoscope.encoders.manifest import held
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
options = json.loads(snakemake.params.align)
asked = f"aligners.{options['aligner']}.gpu"
use = device(snakemake.resources.gpu, snakemake.resources.gpu_needed, asked)
with held(snakemake.input.aligner) as manifest:
    aligner = load(manifest["kind"], manifest["folder"], use)
    utterances = tables.read(snakemake.input.utterances)
    found, notes = align(utterances, aligner, options["units"], options["tones"], snakemake.params.on_error)
    commit = {"aligner": options["aligner"], "commit": manifest["commit"]}
    tables.write(found, snakemake.output.segments, **tables.provenance(found), **commit)
    tables.write(notes, snakemake.output.notes)
