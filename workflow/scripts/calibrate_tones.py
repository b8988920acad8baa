"""What the tone study says of languages whose stretch is known."""

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_tone import rows, stretch

log_to(snakemake.log[0])
found = rows(
    snakemake.params.corpora,
    snakemake.input.windows,
    snakemake.input.chosen,
    [stretch(path) for path in snakemake.input.truth],
)
tables.write(found, snakemake.output[0])
