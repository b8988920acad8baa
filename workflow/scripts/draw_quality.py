"""Draw the quality of a corpus's recordings."""

from phonoscope.figures import quality, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
table = sheets.read(snakemake.input.table)
drawn = quality.draw(table, snakemake.wildcards.corpus)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
