"""Draw r against layer."""

import json

from phonoscope.figures import layer_profiles, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = layer_profiles.draw(table, json.loads(snakemake.params.roles), snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
