"""Keep code from reaching other machines, and note which it wanted to reach."""

from __future__ import annotations

import errno
import socket
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_ADDRESSED = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKED_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_HERE = {"", "localhost", "::1"}

_GUARDS: list[list[str]] = []
"""Attempts of each guard that holds, the innermost last; an audit hook cannot be removed."""
_INSTALLED: list[bool] = []


@contextmanager
def no_network(*, raises: bool = True) -> Iterator[list[str]]:
    """Refuse to reach other machines, in all threads of this process, while the body runs.

    An attempt raises ConnectionRefusedError. This machine (localhost, 127.0.0.1, Unix sockets) is in reach.
    Yields the list of the hosts that were wanted. Processes that the body starts are not seen.
    Raises AssertionError in the end, if there were any; with `raises=False`, the caller reads the list.
    """
    if not _INSTALLED:
        # The interpreter asks it whatever the code does, also code that kept a function of `socket`.
        sys.addaudithook(_refuse)
        _INSTALLED.append(True)
    attempts: list[str] = []
    _GUARDS.append(attempts)
    try:
        yield attempts
    finally:
        _GUARDS[:] = [guard for guard in _GUARDS if guard is not attempts]
    if attempts and raises:
        raise AssertionError(f"the network was wanted: {', '.join(dict.fromkeys(attempts))}")


def _refuse(event: str, arguments: tuple[Any, ...]) -> None:
    if not _GUARDS:
        return
    if event in _ADDRESSED:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # the rest are of this machine: AF_UNIX
    elif event in _LOOKED_UP:
        host = arguments[0] or ""
    else:
        return
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    if name in {*_HERE, socket.gethostname()} or name.startswith("127."):
        return
    _GUARDS[-1].append(name)
    raise ConnectionRefusedError(errno.ECONNREFUSED, f"a test reaches no network: {event} of {name}")
