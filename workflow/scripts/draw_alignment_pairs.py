"""Draw R@1 of every pair of languages and layer."""

from phonoscope.figures import alignment_pairs, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = alignment_pairs.draw(sheets.read(snakemake.input.retrieval), snakemake.wildcards.corpus)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
