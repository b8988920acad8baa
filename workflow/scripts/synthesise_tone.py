"""The corpus synthetic-tone, copied over the shipped one."""

import tempfile

from phonoscope import tables
from phonoscope.corpora.synthetic.tone import save
from phonoscope.joblog import log_to
from phonoscope.shipping import ship

log_to(snakemake.log[0])
with tempfile.TemporaryDirectory() as folder:
    save(folder)
    lines = ship(folder, snakemake.params.shipped)
with tables.beside(snakemake.output[0]) as path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
