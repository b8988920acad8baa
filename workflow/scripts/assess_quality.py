"""What a corpus's recordings are worth, and what was left out of them."""

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.quality import left_out, summarise_quality

log_to(snakemake.log[0])
sheets.write(summarise_quality(tables.read(snakemake.input.quality)), snakemake.output.quality)
sheets.write(
    left_out(tables.read([*snakemake.input.notes, *snakemake.input.notes_ema])), snakemake.output.left_out
)
