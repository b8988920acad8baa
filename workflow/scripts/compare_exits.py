"""The tables of early exit over all corpora and models."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.alignment_exits_comparison import compare

log_to(snakemake.log[0])
found = compare(
    snakemake.input.summaries,
    snakemake.input.examples,
    json.loads(snakemake.params.taken),
    snakemake.input.published,
    json.loads(snakemake.params.hub_ids),
    json.loads(snakemake.params.papers),
)
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
