"""Draw known truth against what the instrument says."""

import json

from phonoscope import tables
from phonoscope.figures import calibration, style
from phonoscope.joblog import log_to
from phonoscope.studies import calibration_table

log_to(snakemake.log[0])
drawn = calibration.draw(
    calibration_table.read(snakemake.input.table),
    [tables.read(path).to_pandas() for path in snakemake.input.boundaries],
    json.loads(snakemake.params.roles),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
