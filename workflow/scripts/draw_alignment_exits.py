"""Draw errors against the layer that the decoder attends to."""

from phonoscope.figures import alignment_exits, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = alignment_exits.draw(sheets.read(snakemake.input.exits), snakemake.wildcards.corpus)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
