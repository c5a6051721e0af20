"""Refuse to reach any other machine: Python runs this first wherever this folder is on its path.

An audit hook sees what a patched `socket` would not: the interpreter asks it, and it cannot be undone.
"""

import errno
import os
import socket
import sys

_ADDRESSED = {"socket.connect", "socket.sendto", "socket.sendmsg"}
_LOOKED_UP = {"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"}
_HERE = {"", "localhost", "::1", socket.gethostname()}
_OF_THE_KIT = "kit.invalid"  # no such host can exist; `harness.testing` has to refuse it itself


def _refuse(event, arguments):
    if event in _ADDRESSED:
        address = arguments[1]
        host = address[0] if isinstance(address, tuple) else ""  # the rest are of this machine: AF_UNIX
    elif event in _LOOKED_UP:
        host = arguments[0] or ""
    else:
        return
    name = host.decode(errors="replace") if isinstance(host, bytes) else str(host)
    if name in _HERE or name.startswith("127.") or name == _OF_THE_KIT:
        return
    with open(os.environ["HARNESS_TEST_ATTEMPTS"], "a") as file:  # noqa: PTH123 - pathlib takes time to import
        file.write(f"{event} of {name} by {sys.argv[:2]}\n")
    raise ConnectionRefusedError(errno.ECONNREFUSED, f"tests reach no network: {event} of {name}")


sys.addaudithook(_refuse)
