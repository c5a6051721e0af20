"""Where a running Ray is, and whether it may be joined: loopback, or with token authentication."""

from __future__ import annotations

import ipaddress
import os
import socket
from dataclasses import dataclass
from pathlib import Path

from harness import HarnessError

_CLIENT = "ray://"
_HEAD_PORT, _CLIENT_PORT = 6379, 10001
_PATIENCE = 5.0
"""Maximum seconds for a port to answer."""
_EXAMPLES = "auto, HOST:PORT, or ray://HOST:PORT"


@dataclass(frozen=True, slots=True)
class RayAddress:
    """Where a running Ray is."""

    host: str
    port: int
    client: bool = False
    """Whether it is reached by the Ray Client, `ray://`, from outside of its nodes."""

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{_CLIENT if self.client else ''}{host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Whether only processes of this machine can reach it."""
        if self.host.lower() == "localhost":
            return True
        try:
            return ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return False


def parse_address(text: str) -> RayAddress:
    """Return an address; `auto` is RAY_ADDRESS, else what `ray start` has noted on this machine.

    Raises HarnessError for anything else, and where `auto` finds none.
    """
    if text == "auto":
        return _running_here()
    client = text.startswith(_CLIENT)
    rest = text.removeprefix(_CLIENT).rstrip("/")
    host, colon, port = rest.rpartition(":") if rest.count(":") == 1 or "]:" in rest else (rest, "", "")
    host = host.removeprefix("[").removesuffix("]")
    if not host or "/" in host or (colon and not port.isdecimal()) or "://" in rest:
        raise HarnessError(f"--ray-address {text}: no address of a Ray", hint=f"one of {_EXAMPLES}")
    return RayAddress(host, int(port) if port else _CLIENT_PORT if client else _HEAD_PORT, client)


def refuse_open(address: RayAddress) -> None:
    """Raise HarnessError for a Ray that others can reach, where no token is set: it runs anybody's code."""
    if address.is_loopback:
        return
    if os.environ.get("RAY_AUTH_MODE", "").lower() != "token":
        raise HarnessError(
            f"the Ray at {address} can be reached by others, and RAY_AUTH_MODE is not `token`:"
            " whoever reaches it could run code there, and read your texts",
            hint="set RAY_AUTH_MODE=token here and on all its nodes, with one token for all:"
            " `ray get-auth-token --generate` (docs/cluster.md)",
        )
    if not _has_token():
        raise HarnessError(
            f"the Ray at {address} needs a token, and there is none",
            hint="RAY_AUTH_TOKEN_PATH names its file, or it is in ~/.ray/auth_token (docs/cluster.md)",
        )


def refuse_silent(address: RayAddress) -> None:
    """Raise HarnessError where nobody answers at an address, within seconds."""
    try:
        socket.create_connection((address.host, address.port), timeout=_PATIENCE).close()
    except OSError as error:
        reason = error.strerror or str(error) or type(error).__name__
        raise HarnessError(
            f"no Ray answers at {address}: {reason}",
            hint="is it running, and is this the port of its "
            + ("client server (10001)?" if address.client else "head (6379)? `ray status` tells"),
        ) from error


def _running_here() -> RayAddress:
    if named := os.environ.get("RAY_ADDRESS", ""):
        if named == "auto":
            raise HarnessError("RAY_ADDRESS is `auto`, which says nothing", hint=f"write {_EXAMPLES[6:]}")
        return parse_address(named)
    noted = Path(os.environ.get("RAY_TMPDIR", "/tmp"), "ray", "ray_current_cluster")  # noqa: S108 - Ray's
    try:
        found = noted.read_text(encoding="utf-8").strip()
    except OSError:
        found = ""
    if not found:
        raise HarnessError(
            "--ray-address auto: no Ray is running on this machine",
            hint="`ray start --head` starts one; without --ray-address, the run starts one of its own",
        )
    return parse_address(found)


def _has_token() -> bool:
    if os.environ.get("RAY_AUTH_TOKEN"):
        return True
    named = os.environ.get("RAY_AUTH_TOKEN_PATH")
    try:
        return bool((Path(named) if named else Path.home() / ".ray" / "auth_token").read_bytes().strip())
    except (OSError, RuntimeError):
        return False
