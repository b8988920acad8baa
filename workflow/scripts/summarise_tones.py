"""The tables of the tone study for one model on one corpus."""

from phonoscope.joblog import log_to
from phonoscope.studies import sheets
from phonoscope.studies.tone_summary import summarise

log_to(snakemake.log[0])
found = summarise(
    snakemake.wildcards.corpus,
    snakemake.wildcards.model,
    snakemake.input.chosen,
    snakemake.input.scores,
    snakemake.input.predictions,
    snakemake.input.focus,
    snakemake.input.occlusion,
)
for (_, frame), path in zip(found.items(), snakemake.output, strict=True):
    sheets.write(frame, path)
