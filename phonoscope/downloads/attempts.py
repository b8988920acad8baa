"""How long a server is waited for, which of its faults pass, and what of an address may be said."""

import email.utils
import logging
import re
import time
from dataclasses import dataclass

from phonoscope.errors import InputError

# Too early, too many requests, and what a server says while it is restarted.
PASSING = {408, 425, 429, 500, 502, 503, 504}


@dataclass(frozen=True)
class Patience:
    """When a transfer is given up.

    Attributes
    ----------
    connect_s, silence_s : float
        Without a connection, and without a byte, s.
    window_s, least_rate : float
        A transfer that brings fewer bytes per second than this over so many seconds has stalled.
    attempts : int
        In a row, without progress.
    first_wait_s, longest_wait_s : float
        Between two attempts; each wait is twice the one before.
    longest_asked_s : float
        A server that asks for a longer wait (Retry-After) is given up at once.
    """

    connect_s: float = 30.0
    silence_s: float = 60.0
    window_s: float = 60.0
    least_rate: float = 1000.0
    attempts: int = 6
    first_wait_s: float = 1.0
    longest_wait_s: float = 60.0
    longest_asked_s: float = 900.0

    def timeout(self):
        """The same for a client of httpx2."""
        import httpx2

        return httpx2.Timeout(self.silence_s, connect=self.connect_s)


class Fault(OSError):
    """A transfer that went wrong in a way that may pass: stalled, cut, or not what it should be."""


class GivenUp(OSError):
    """A server asks to wait for longer than anyone will."""


def watched(chunks, patience, clock=time.monotonic):
    """Yield ``chunks`` (of bytes) as they come.

    Raises
    ------
    Fault
        Where too few come in a window. A client's own timeouts do not see a trickle.
    """
    began, got = clock(), 0
    for chunk in chunks:
        yield chunk
        got += len(chunk)
        if (took := clock() - began) >= patience.window_s:
            if got < patience.least_rate * took:
                raise Fault(f"stalled: {got} bytes in {took:.0f} s")
            began, got = clock(), 0


def retried(call, patience):
    """What ``call()`` returns, after as many attempts as it takes and ``patience`` allows.

    Raises
    ------
    Exception
        Of the last attempt, or one that will not pass; :class:`GivenUp`.
    """
    failures = 0
    while True:
        try:
            return call()
        except Exception as error:
            failures += 1
            if not passes(error) or failures >= patience.attempts:
                raise
            wait(error, failures, patience)


def passes(error):
    """Whether another attempt may do better. The hub's client hides causes behind errors of its own."""
    import httpx2

    if isinstance(error, httpx2.UnsupportedProtocol | httpx2.LocalProtocolError | httpx2.ProxyError):
        return False
    if isinstance(error, Fault | httpx2.TransportError):
        return True
    if (status := _status(error)) is not None:
        return status in PASSING
    return error.__cause__ is not None and passes(error.__cause__)


def wait(error, failures, patience):
    """Sleep before the next attempt: as long as the server asks, or longer each time.

    Raises
    ------
    GivenUp
    """
    seconds = asked(error)
    if seconds is None:
        seconds = min(patience.longest_wait_s, patience.first_wait_s * 2 ** (failures - 1))
    elif seconds > patience.longest_asked_s:
        raise GivenUp(f"the server asks to wait for {seconds:.0f} s") from error
    logging.info("attempt %d failed (%s); the next in %.1f s", failures, said(error), seconds)
    time.sleep(seconds)


def asked(error):
    """Seconds to wait, by the header Retry-After (a number or a date) of the answer behind ``error``."""
    value = _headers(error).get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except ValueError:
        return None


def _status(error):
    return getattr(getattr(error, "response", None), "status_code", None)


def _headers(error):
    while error is not None:
        if getattr(error, "response", None) is not None:
            return error.response.headers
        error = error.__cause__
    return {}


def denied(error):
    """Whether an answer behind ``error`` says that one may not have it."""
    while error is not None:
        if _status(error) in (401, 403):
            return True
        error = error.__cause__
    return False


def scrubbed(text):
    """``text`` without what may be secret in it: tokens, and users, passwords and queries of addresses.

    The query of an address that the hub redirects to is a key to the file.
    """
    from huggingface_hub import get_token

    if token := get_token():
        text = text.replace(token, "[token]")
    text = re.sub(r"(?i)\b(bearer|basic) [^\s'\",]+", r"\1 [token]", text)
    text = re.sub(r"\bhf_\w{8,}", "[token]", text)
    text = re.sub(r"(?i)(https?://)[^/\s]*@", r"\1", text)
    return re.sub(r"(?i)(https?://[^\s?'\"<>]*)\?[^\s'\"<>)]*", r"\1?[…]", text)


def said(error):
    """An error in one line that may be shown."""
    cause = error.__cause__
    behind = f"; {said(cause)}" if cause is not None and not isinstance(cause, type(error)) else ""
    text = " ".join(scrubbed(f"{type(error).__name__}: {error}").split())
    return (text if len(text) <= 300 else text[:300] + "…") + behind


def failed(what, error, *, fix, **where):
    """The :class:`InputError` for ``what`` after ``error``.

    To be raised `from None`: a traceback in a log shows messages that were not scrubbed.
    """
    if denied(error):
        fix = f"log in with `hf auth login` or set HF_TOKEN, and accept the conditions; or {fix}"
    return InputError(f"{what} cannot be fetched ({said(error)})", fix=fix, **where)


class _Scrub(logging.Filter):
    def filter(self, record):
        record.msg, record.args = scrubbed(record.getMessage()), ()
        return True


def guard_logs():
    """Keep secrets out of what the clients log: the addresses of all requests."""
    for name in ("httpx2", "huggingface_hub"):
        logger = logging.getLogger(name)
        for place in (logger, *logger.handlers):
            if not any(isinstance(each, _Scrub) for each in place.filters):
                place.addFilter(_Scrub())
