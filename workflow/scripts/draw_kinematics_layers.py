"""Draw transfer to speakers of the same and of another group against layer."""

from phonoscope.figures import kinematics_layers, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = kinematics_layers.draw(table, snakemake.wildcards.corpus, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
