"""Which words find each other in one layer, and what they have in common."""

import json

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.alignment_words_pairs import score

log_to(snakemake.log[0])
found = score(
    snakemake.input.words,
    snakemake.input.types,
    snakemake.input.distances,
    snakemake.input.meanings,
    snakemake.input.embeddings,
    json.loads(snakemake.params.options),
    snakemake.wildcards.model,
    int(snakemake.wildcards.layer),
)
for table, path in zip(found, snakemake.output, strict=True):
    tables.write(table, path)
