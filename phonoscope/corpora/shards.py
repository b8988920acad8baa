"""Which shard of a corpus a recording belongs to. Standard library only: the Snakefile imports it."""

import hashlib

from phonoscope.errors import InputError


def shard_names(shards, speakers):
    """Names of a corpus' shards.

    Parameters
    ----------
    shards : "speakers" or int
        One shard per speaker, or a number of buckets.
    speakers : list of str
        Speaker names in the order of the sheet.

    Returns
    -------
    list of str
        The speakers, or ``bucket0`` to ``bucket{N-1}``.

    Raises
    ------
    InputError
        If there are no speakers to shard by, or more buckets than speakers.
    """
    if shards == "speakers":
        if not speakers:
            raise InputError(
                "there is no speaker to make shards of",
                row="shards",
                fix="give the corpus a speaker sheet, or set `shards` to a number",
            )
        return list(speakers)
    if not isinstance(shards, int) or isinstance(shards, bool) or shards < 1:
        raise InputError(
            f"`{shards}` is not a way to make shards", row="shards", fix="use `speakers` or a number"
        )
    if speakers and shards > len(speakers):
        raise InputError(
            f"{shards} shards are more than the {len(speakers)} speakers",
            row="shards",
            fix=f"set `shards` to at most {len(speakers)}, or to `speakers`",
        )
    return [f"bucket{i}" for i in range(shards)]


def speakers_of(shard, shards, speakers):
    """Speakers of one shard: itself, or those that sheet order modulo N puts into its bucket.

    A speaker added at the end of the sheet therefore changes one shard only.

    Returns
    -------
    list of str
        Empty where the corpus has no speakers; its recordings are then shared out by
        :func:`bucket_of`.
    """
    names = shard_names(shards, speakers)
    if shard not in names:
        raise InputError(
            f"there is no shard `{shard}`", row="shards", fix=f"choose one of {', '.join(names)}"
        )
    if shards == "speakers":
        return [shard]
    return list(speakers[names.index(shard) :: shards])


def bucket_of(stem, n_buckets):
    """Bucket name of a recording without a speaker, from a hash that never changes (SHA-256)."""
    return f"bucket{int.from_bytes(hashlib.sha256(stem.encode()).digest()[:8], 'big') % n_buckets}"
