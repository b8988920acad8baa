"""The tables of the alignment study's retrieval over all corpora and models."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.alignment_comparison import compare

log_to(snakemake.log[0])
found = compare(
    snakemake.params.corpora,
    snakemake.input.summaries,
    json.loads(snakemake.params.ranks),
    snakemake.input.challenges,
    snakemake.input.left_out,
    snakemake.input.published,
    json.loads(snakemake.params.hub_ids),
    json.loads(snakemake.params.papers),
    next(iter(snakemake.input.words), None),
)
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
