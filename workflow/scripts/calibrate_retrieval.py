"""Retrieval by states of meaning alone and of sound alone."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_retrieval import rows

log_to(snakemake.log[0])
found = rows(
    snakemake.wildcards.corpus,
    snakemake.input.utterances,
    snakemake.input.segments,
    snakemake.input.concepts,
    json.loads(snakemake.params.options),
    snakemake.params.ways,
)
tables.write(found, snakemake.output[0])
