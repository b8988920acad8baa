"""How well a tone rule agrees with a pronunciation dictionary."""

import json

import pandas as pd

from phonoscope.alignment.tones import validate
from phonoscope.joblog import log_to
from phonoscope.studies import sheets

log_to(snakemake.log[0])
options = snakemake.params.spelling, snakemake.input.dictionary, json.loads(snakemake.params.contours)
print(validate.text(*(found := validate.agreement(*options))))
sheets.write(pd.DataFrame([found[0]]), snakemake.output.agreement)
sheets.write(pd.DataFrame(found[1]), snakemake.output.confusion)
