"""Every pair of models, compared over the speakers they share."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.articulation_summary import compare_models

log_to(snakemake.log[0])
sheets.write(compare_models(sheets.read(snakemake.input.speakers)), snakemake.output[0])
