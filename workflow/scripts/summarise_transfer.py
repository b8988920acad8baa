"""The tables of the kinematics study of one model, from the scores of its layers."""

from pathlib import Path

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.kinematics_summary import summarise

log_to(snakemake.log[0])
found = summarise(snakemake.wildcards.corpus, snakemake.wildcards.model, snakemake.input.scores)
for path in snakemake.output:
    sheets.write(found[Path(path).stem], path)
