"""The utterances of a corpus of articulatory synthesis as a corpus folder, copied over the shipped one."""

import tempfile
from pathlib import Path

from phonoscope import tables
from phonoscope.corpora.synthetic.ema import assemble
from phonoscope.corpora.synthetic.ema_plan import plan_of
from phonoscope.joblog import log_to
from phonoscope.shipping import ship

log_to(snakemake.log[0])
with tempfile.TemporaryDirectory() as folder:
    paths = {Path(path).stem: path for path in snakemake.input.utterances}
    assemble(plan_of(snakemake.wildcards.spoken), paths, folder)
    lines = ship(folder, snakemake.params.shipped)
with tables.beside(snakemake.output[0]) as path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
