"""The tables of the tone study over all corpora and models."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.tone_comparison import compare

log_to(snakemake.log[0])
found = compare(
    snakemake.params.corpora,
    snakemake.input.summaries,
    snakemake.input.windows,
    snakemake.input.chosen,
    snakemake.input.left_out,
    json.loads(snakemake.params.notes),
    snakemake.input.published,
    json.loads(snakemake.params.variants),
    json.loads(snakemake.params.roles),
)
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
