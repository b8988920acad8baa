"""Early exit of one model on one corpus: error rates of all layers, and what some utterances read."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.alignment_exits_summary import examples, summarise

log_to(snakemake.log[0])
names, exits = (snakemake.wildcards.corpus, snakemake.wildcards.model), snakemake.input.exits
normalisers = snakemake.params.normalisers
sheets.write(summarise(*names, exits, normalisers), snakemake.output.summary)
sheets.write(examples(*names, exits, normalisers[0]), snakemake.output.examples)
