"""The meaning of every type of word of a corpus: its concept, or its vector."""

import json
from pathlib import Path

from phonoscope import tables
from phonoscope.alignment.meaning import CONCEPTS, embed
from phonoscope.alignment.meaning_model import vectors
from phonoscope.joblog import log_to

log_to(snakemake.log[0])
source = snakemake.input.meaning
if snakemake.params.by != CONCEPTS:
    source = json.loads(Path(source).read_text(encoding="utf-8"))["folder"]
found = embed(tables.read(snakemake.input.types), snakemake.params.by, source, vectors)
tables.write(found, snakemake.output[0])
