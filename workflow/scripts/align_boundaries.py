"""Align recordings whose phones' times are known."""

import json

from phonoscope import tables
from phonoscope.alignment.aligners import Frames
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_boundaries import chosen, measure

log_to(snakemake.log[0])
options = json.loads(snakemake.params.options)
utterances = chosen(snakemake.input.utterances, **options)
found = measure(Frames(snakemake.params.folder), utterances, snakemake.input.segments)
tables.write(found, snakemake.output[0])
