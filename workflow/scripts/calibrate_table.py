"""All cases of the calibration in one table, and the table as a page for the report."""

from pathlib import Path

from phonoscope.joblog import log_to
from phonoscope.studies import calibration_table, sheets
from phonoscope.studies.page import page
from phonoscope.tables import beside

log_to(snakemake.log[0])
sheets.write(calibration_table.combine(snakemake.input.parts), snakemake.output.csv)
with beside(snakemake.output.html) as partial:
    found = page(calibration_table.read(snakemake.output.csv), Path(snakemake.output.csv).name)
    partial.write_text(found, encoding="utf-8")
