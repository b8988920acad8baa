"""Draw what words that find each other have in common, by layer."""

from phonoscope.figures import alignment_word_split, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = alignment_word_split.draw(sheets.read(snakemake.input.table), snakemake.wildcards.corpus)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
