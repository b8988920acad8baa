"""The tables of the kinematics study over all corpora and models."""

from pathlib import Path

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.kinematics_comparison import compare

log_to(snakemake.log[0])
summaries = {}
for path in snakemake.input.summaries:
    summaries.setdefault(Path(path).stem, []).append(path)
found = compare(summaries, snakemake.params.corpora, snakemake.input.parallel)
for path in snakemake.output:
    sheets.write(found[Path(path).stem], path)
