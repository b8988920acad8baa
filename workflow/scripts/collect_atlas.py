"""The studies' tables side by side."""

import json

from phonoscope.joblog import log_to
from phonoscope.studies import atlas, sheets

log_to(snakemake.log[0])
inputs = snakemake.input
tables = {
    study: {name: inputs.get(f"{study}_{name}") for name in names}
    for study, names in json.loads(snakemake.params.tables).items()
}
tables["articulation"] = {
    corpus: {"layers": layers, "E5_speakers": speakers}
    for corpus, layers, speakers in zip(snakemake.params.corpora, inputs.layers, inputs.speakers, strict=True)
}
models = {model.pop("name"): model for model in json.loads(snakemake.params.models)}
found = atlas.collect(models, tables, "results", snakemake.params.probes)
sheets.write(found, snakemake.output[0])
