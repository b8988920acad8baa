"""The one exception for what a user can mend: it names the file, the row and the fix."""


class InputError(ValueError):
    """Something that was given (a recording, a sheet, an option) cannot be used.

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
        where = ": ".join(str(part) for part in (path, row) if part is not None)
        text = f"{where}: {message}" if where else message
        super().__init__(f"{text}. Fix: {fix}." if fix else f"{text}.")

    def __reduce__(self):
        return (_rebuild, (self.message, self.path, self.row, self.fix))


def _rebuild(message, path, row, fix):
    return InputError(message, path=path, row=row, fix=fix)
