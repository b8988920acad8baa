"""A trained model against its untrained twin and against MFCC."""

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_articulation import compare

log_to(snakemake.log[0])
rows = compare(
    snakemake.wildcards.corpus,
    snakemake.wildcards.model,
    snakemake.input.scores,
    snakemake.input.references,
    snakemake.params.probe,
)
tables.write(rows, snakemake.output[0])
