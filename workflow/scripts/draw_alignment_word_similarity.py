"""Draw how much nearer than unrelated words translations and words that sound alike are."""

from phonoscope.figures import alignment_word_similarity, style
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
drawn = alignment_word_similarity.draw(sheets.read(snakemake.input.table), snakemake.wildcards.corpus)
style.save(drawn, snakemake.output.svg, snakemake.output.png)
