"""Write the page that shows the studies side by side."""

from phonoscope.figures.atlas import page
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.tables import beside

log_to(snakemake.log[0])
with beside(snakemake.output[0]) as partial:
    partial.write_text(page(sheets.read(snakemake.input.table)), encoding="utf-8")
