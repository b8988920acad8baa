"""Draw R@1 against layer on the full, the challenge and random sets."""

from phonoscope.figures import alignment_retrieval, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = alignment_retrieval.draw(sheets.read(snakemake.input.retrieval), snakemake.wildcards.corpus)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
