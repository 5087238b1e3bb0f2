"""The token that visitors bring: where it comes from, and what wrong ones cost."""

from __future__ import annotations

import ipaddress
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

TOKEN_VARIABLE = "MNUTS_TOKEN"
"""The environment variable with the token; kernels do not get it."""
MAX_TOKEN = 1024
FIRST_DELAY, MAX_DELAY = 0.1, 2.0  # seconds; twice as long with each wrong token
MAX_QUEUE = 5.0  # seconds that an address may be behind; above, its tokens are not even compared
FORGET_AFTER = 600.0
MAX_ADDRESSES = 1024


class TokenError(ValueError):
    """Why no token is available, in one line."""


class Given(NamedTuple):
    """The token that a server was given, None if none, and whether whoever started it keeps it secret."""

    token: str | None
    secret: bool


def given_token(token: str | None, file: str | os.PathLike[str] | None) -> Given:
    """The token that the server was given: as such, in a file, or in ``MNUTS_TOKEN``.

    The variable is removed, so that no process that is started later finds it.

    Args:
        token: As given on the command line or in Python.
        file: A regular file with nothing else in it; blanks and line ends around it do not count.

    Raises:
        TokenError: There are two, or the file holds none.
    """
    variable = os.environ.pop(TOKEN_VARIABLE, None)
    if token is not None and file is not None:
        raise TokenError("token and token file: give one of the two")
    if file is not None:
        return Given(_checked(_read(Path(file)), f"token file {str(file)!r}"), secret=True)
    if token is not None:
        return Given(_checked(token, "token") if token else "", secret=False)
    return Given(_checked(variable.strip(), TOKEN_VARIABLE) if variable else None, secret=bool(variable))


def _read(path: Path) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            raise TokenError(f"token file: {str(path)!r} is no regular file")
        with path.open("rb") as file:
            return file.read(MAX_TOKEN + 64).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise TokenError(f"token file: {str(path)!r} is not UTF-8 text") from None
    except (OSError, ValueError) as error:
        if isinstance(error, TokenError):
            raise
        reason = getattr(error, "strerror", None) or error
        raise TokenError(f"token file: cannot read {str(path)!r}: {reason}") from None


def _checked(token: str, name: str) -> str:
    """A token that can stand in an address and in a header."""
    if not 1 <= len(token) <= MAX_TOKEN or not token.isascii() or not token.isprintable() or " " in token:
        raise TokenError(f"{name}: must be 1 to {MAX_TOKEN} printable ASCII characters without blanks")
    return token


class WrongTokens:
    """How long an address that brought wrong tokens has to wait; others do not wait at all.

    Args:
        clock: Gives seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = (
            OrderedDict()
        )  # how many, and when it is free again

    def blocked(self, address: str) -> bool:
        """Whether so many wrong tokens of this address wait for their answer that no other is looked at."""
        _, free_at = self._wrong.get(network(address), (0, 0.0))
        return free_at - self._clock() > MAX_QUEUE

    def delay(self, address: str) -> float:
        """Count a wrong token; the seconds to wait before it is refused."""
        key, now = network(address), self._clock()
        count, free_at = self._wrong.pop(key, (0, now))
        if now - free_at > FORGET_AFTER:
            count = 0
        free_at = max(now, free_at) + min(MAX_DELAY, FIRST_DELAY * 2.0 ** min(count, 30))
        self._wrong[key] = (count + 1, free_at)
        while len(self._wrong) > MAX_ADDRESSES:
            self._wrong.popitem(last=False)
        return free_at - now


def network(address: str) -> str:
    """What stands for an address: itself, or the /64 of an IPv6 one, all of which one machine may hold."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.version == 4:
        return str(parsed)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
