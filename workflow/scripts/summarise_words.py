"""Pairs and types of words of all layers of one model on one corpus."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.alignment_words_summary import summarise

log_to(snakemake.log[0])
found = summarise(
    snakemake.wildcards.corpus,
    snakemake.wildcards.model,
    snakemake.input.pairs,
    snakemake.input.scores,
    snakemake.input.types,
    snakemake.params.examples,
)
for table, path in zip(snakemake.params.tables, snakemake.output, strict=True):
    sheets.write(found[table], path)
