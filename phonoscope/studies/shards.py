"""The shards of a layer belong together."""

from phonoscope import tables
from phonoscope.errors import InputError

# What the hidden states of all shards have in common, by the metadata of their files.
COMMON = ("model", "revision", "layer", "d")


def check_one_model(paths):
    """Raise where the files of a layer, one per shard, are not of one model at one revision.

    Parameters
    ----------
    paths : list of path-like
        Of hidden states.

    Raises
    ------
    InputError
        Naming the file that differs from the first.
    """
    said = [tables.provenance(tables.schema(path)) for path in paths]
    for path, found in zip(paths, said, strict=True):
        for key in COMMON:
            if found.get(key) != said[0].get(key):
                raise InputError(
                    f"does not go with {paths[0]}: {key} {found.get(key)}, there {said[0].get(key)}",
                    path=path, fix=tables.again(path),
                )  # fmt: skip
