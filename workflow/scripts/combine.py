"""Each table of all models, from that of each model."""

from pathlib import Path

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.articulation_summary import combine

log_to(snakemake.log[0])
for output in map(Path, snakemake.output):
    parts = [path for path in snakemake.input.tables if Path(path).name == output.name]
    sheets.write(combine([sheets.read(path) for path in parts]), output)
