"""Which of the words that are known to sound alike the challenge sets' filter finds."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_alignment import rows

log_to(snakemake.log[0])
found = rows(
    snakemake.wildcards.corpus,
    snakemake.input.utterances,
    snakemake.input.segments,
    snakemake.input.truth,
    json.loads(snakemake.params.options),
    snakemake.params.ways,
)
tables.write(found, snakemake.output[0])
