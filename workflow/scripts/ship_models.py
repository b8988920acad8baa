"""Copy trained models over the shipped ones, and say what they are."""

import shutil
import tempfile
from pathlib import Path

from phonoscope import tables
from phonoscope.joblog import log_to
from phonoscope.shipping import ship

log_to(snakemake.log[0])
lines = []
for folder in sorted({Path(path).parent for path in snakemake.input.models}):
    with tempfile.TemporaryDirectory() as built:
        for path in folder.iterdir():
            # Checkpoints are folders, figures are drawn anew.
            if path.is_file() and path.suffix not in (".svg", ".png"):
                shutil.copy(path, built)
        lines += ship(built, Path(snakemake.params.shipped) / folder.name)
with tables.beside(snakemake.output[0]) as path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
