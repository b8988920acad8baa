"""Align recordings whose phones' times are known."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_boundaries import Aligner, chosen, measure

log_to(snakemake.log[0])
options = json.loads(snakemake.params.options)
utterances = chosen(snakemake.input.utterances, **options)
found = measure(Aligner(snakemake.params.folder), utterances, snakemake.input.segments)
tables.write(found, snakemake.output[0])
