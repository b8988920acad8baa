"""Draw r by layer and channel."""

from phonoscope.figures import heatmap, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = heatmap.draw(table, snakemake.params.probe)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
