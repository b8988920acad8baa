"""Retrieval of all layers of one model on one corpus."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.alignment_summary import summarise

log_to(snakemake.log[0])
found = summarise(
    snakemake.wildcards.corpus,
    snakemake.wildcards.model,
    snakemake.input.scores,
    snakemake.input.ranks,
)
sheets.write(found, snakemake.output[0])
