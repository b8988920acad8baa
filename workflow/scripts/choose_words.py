"""Words of the chosen recordings with their times, and how alike their types sound."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_words import choose

log_to(snakemake.log[0])
found = choose(
    snakemake.input.chosen,
    list(snakemake.input.segments),
    [snakemake.input.times] if isinstance(snakemake.input.times, str) else list(snakemake.input.times),
    json.loads(snakemake.params.options),
)
for table, path in zip(found, snakemake.output, strict=True):
    tables.write(table, path)
