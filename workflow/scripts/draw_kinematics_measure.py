"""Draw articulatory scores of models against phone scores and published scores."""

import json

from phonoscope.figures import kinematics_measure, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = kinematics_measure.draw(
    sheets.read(snakemake.input.measure),
    sheets.read(snakemake.input.models),
    json.loads(snakemake.params.roles),
)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
