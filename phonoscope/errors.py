"""The one exception for what a user can mend: it names the file, the row and the fix."""

LONGEST = 1000


class InputError(ValueError):
    """Something that was given (a recording, a sheet, an option) cannot be used; its text is one line.

    Parameters
    ----------
    message : str
        What is wrong, as a clause without a full stop.
    path : path-like, optional
        The file it was found in.
    row : str or int, optional
        The row, channel, utterance or key within the file.
    fix : str, optional
        What the user can do about it.
    """

    def __init__(self, message, *, path=None, row=None, fix=None):
        self.message, self.path, self.row, self.fix = message, path, row, fix
        where = ": ".join(_line(part) for part in (path, row) if part is not None)
        text = f"{where}: {_line(message)}" if where else _line(message)
        super().__init__(f"{text}. Fix: {_line(fix)}." if fix else f"{text}.")

    def __reduce__(self):
        return (_rebuild, (type(self), self.message, self.path, self.row, self.fix))


class ChangedError(InputError):
    """A file is no longer what an earlier job saw. `on_error: skip` does not pass over it: that is no
    recording's own fault, and what was made of it before is among the results."""


def _line(text):
    # A damaged file may bring line breaks, escape codes or halves of characters into a message.
    line = " ".join("".join(each if each.isprintable() else " " for each in str(text)).split())
    return line if len(line) <= LONGEST else f"{line[:LONGEST]} ..."


def _rebuild(kind, message, path, row, fix):
    return kind(message, path=path, row=row, fix=fix)
