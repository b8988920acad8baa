"""The tables E1 to E5 of one model, from the scores of its layers."""

from pathlib import Path

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.articulation_summary import summarise_model

log_to(snakemake.log[0])
summaries = summarise_model(tables.read(snakemake.input.scores))
for path in snakemake.output:
    sheets.write(summaries[Path(path).stem], path)
