"""One utterance of synthetic-ema: sound and sensor positions."""

from phonoscope.corpora.synthetic.ema import save
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
save(snakemake.wildcards.utterance, snakemake.output[0])
