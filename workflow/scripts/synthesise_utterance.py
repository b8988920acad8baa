"""One utterance of a corpus of articulatory synthesis: sound and sensor positions."""

from phonoscope.corpora.synthetic.ema import save
from phonoscope.corpora.synthetic.ema_plan import plan_of
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
save(plan_of(snakemake.wildcards.spoken), snakemake.wildcards.utterance, snakemake.output[0])
