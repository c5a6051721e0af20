"""What the environment says of how servers are asked: keys, and how much at once; it moves no score."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness_remote.mask import KEYS, masked_error, said

if TYPE_CHECKING:
    from harness_remote.address import Address

_MOST = {"HARNESS_REMOTE_BATCH": 4096, "HARNESS_REMOTE_REQUESTS": 64, "HARNESS_REMOTE_TIMEOUT": 3600}


@dataclass(frozen=True, slots=True)
class Key:
    """The key of a server; it is in no representation."""

    variable: str
    """Where it is from; empty where there is none."""
    withheld: bool = False
    """Whether it is not sent, since the connection is not encrypted."""

    def headers(self) -> dict[str, str]:
        """Return the header that has it; raises HarnessError for one that no header can hold."""
        if not self.variable or self.withheld:
            return {}
        value = os.environ.get(self.variable, "").strip()
        if not re.fullmatch(r"[!-~]+", value):
            raise masked_error(f"{self.variable} holds a space or a character that no key has")
        return {"Authorization": f"Bearer {value}"}


def key_for(address: Address) -> Key:
    """Return the key for an address; it is sent to this machine, and else only by https."""
    variable = next((name for name in KEYS if os.environ.get(name, "").strip()), "")
    return Key(variable, withheld=not address.keeps_secrets)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a server is asked at once."""

    batch: int = 64
    """Maximum texts of a request."""
    characters: int = 48_000
    """Maximum characters of a request of several texts: about 12,000 tokens."""
    requests: int = 4
    """Maximum requests at the same time."""
    timeout: float = 60.0
    """Maximum seconds of a request, its answer included."""


def read_limits(threads: str = "auto") -> Limits:
    """Return the limits. threads: `auto`, or the requests at once, as `--threads` gives them.

    Raises HarnessError for values that are not whole numbers from 1 to what makes sense.
    """
    plain = Limits()
    requests = _number("HARNESS_REMOTE_REQUESTS", plain.requests)
    if threads != "auto":
        requests = min(int(threads.partition("x")[0]), _MOST["HARNESS_REMOTE_REQUESTS"])
    return Limits(
        batch=_number("HARNESS_REMOTE_BATCH", plain.batch),
        requests=requests,
        timeout=float(_number("HARNESS_REMOTE_TIMEOUT", int(plain.timeout))),
    )


def _number(variable: str, default: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return default
    if not re.fullmatch("[0-9]{1,6}", text) or not 1 <= int(text) <= _MOST[variable]:
        raise masked_error(
            f"{variable} must be a whole number from 1 to {_MOST[variable]:,}, not {said(text, 40)!r}"
        )
    return int(text)
