"""What a user should know about the recordings, and the one place where `on_error` is decided."""

from contextlib import contextmanager

from phonoscope import tables
from phonoscope.errors import ChangedError, InputError


class Notes:
    """Collects notes; stops at a bad recording, or leaves it out and goes on.

    Parameters
    ----------
    on_error : {"stop", "skip"}
        Whether an :class:`InputError` about a recording ends the job or becomes a note.
    """

    def __init__(self, on_error):
        if on_error not in ("stop", "skip"):
            raise InputError(f"`{on_error}` is not known", row="on_error", fix="use `stop` or `skip`")
        self.on_error = on_error
        self.rows = []

    def add(self, kind, reason, *, utterance_id="", speaker="", channel="", file="", fix=""):
        """Add a note of the kind ``left_out``, ``converted`` or ``warning``."""
        self.rows.append(
            {
                "utterance_id": utterance_id,
                "speaker": speaker,
                "channel": channel,
                "file": str(file),
                "kind": kind,
                "reason": reason,
                "fix": fix,
            }
        )

    @contextmanager
    def guard(self, *, utterance_id="", speaker="", file=""):
        """Run a block about one recording (or speaker) under the corpus' `on_error`."""
        try:
            yield
        except ChangedError:
            raise
        except InputError as error:
            if self.on_error == "stop":
                raise
            where = "" if error.row is None else f"{error.row}: "
            self.add(
                "left_out",
                where + error.message,
                utterance_id=utterance_id,
                speaker=speaker,
                file=error.path or file,
                fix=error.fix or "",
            )

    def table(self):
        """The notes as a table of the schema ``tables.NOTES``."""
        return tables.from_rows(self.rows, tables.NOTES)
