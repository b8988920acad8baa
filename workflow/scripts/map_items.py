"""Map the movements of speakers who read the same items onto one another."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import kinematics_rows
from phonoscope.studies.kinematics_items import score

log_to(snakemake.log[0])
scores, speakers = score(
    snakemake.input.utterances,
    snakemake.input.articulation,
    snakemake.input.segments,
    json.loads(snakemake.params.options),
)
kinematics_rows.write(scores, snakemake.output[0], speakers)
