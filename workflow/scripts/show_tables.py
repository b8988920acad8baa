"""Each table as a page for the report."""

from pathlib import Path

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.page import page
from phonoscope.tables import beside

log_to(snakemake.log[0])
for table, output in zip(snakemake.input.tables, snakemake.output, strict=True):
    with beside(output) as partial:
        partial.write_text(page(sheets.read(table), Path(table).name), encoding="utf-8")
