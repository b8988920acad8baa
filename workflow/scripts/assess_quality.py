"""What a corpus's recordings are worth."""

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.quality import summarise_quality

log_to(snakemake.log[0])
sheets.write(summarise_quality(tables.read(snakemake.input.quality)), snakemake.output[0])
