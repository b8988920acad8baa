"""Where the aligner puts phones, against where they are."""

from pathlib import Path

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies.calibration_aligner import rows

log_to(snakemake.log[0])
name = Path(snakemake.params.folder).name
tables.write(rows(snakemake.wildcards.corpus, name, snakemake.input.boundaries), snakemake.output[0])
