"""What papers printed beside what was measured."""

import json
from pathlib import Path

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.published import published_vs_measured

log_to(snakemake.log[0])
corpus = json.loads(snakemake.params.paper)
frame = published_vs_measured(
    [snakemake.input.published],
    {Path(path).stem: sheets.read(path) for path in snakemake.input.tables},
    json.loads(snakemake.params.hub_ids),
    corpus["name"],
    corpus["paper"],
)
sheets.write(frame, snakemake.output[0])
