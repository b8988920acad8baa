"""Draw r against seconds of training."""

import json

from phonoscope.figures import style, training_size
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = training_size.draw(table, json.loads(snakemake.params.roles), snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
