"""How far the words of a corpus are put from where they are known to be."""

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_word_times import rows

log_to(snakemake.log[0])
found = rows(
    snakemake.wildcards.corpus,
    snakemake.wildcards.model,
    snakemake.input.word_times,
    snakemake.input.segments,
    snakemake.input.utterances,
)
tables.write(found, snakemake.output[0])
