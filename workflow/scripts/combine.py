"""One table of all models, from that of each."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.articulation_summary import combine

log_to(snakemake.log[0])
sheets.write(combine([sheets.read(path) for path in snakemake.input.tables]), snakemake.output[0])
