"""Where a model is: the address of a server, and what the server calls the model."""

from __future__ import annotations

import ipaddress
import re
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qsl, urlsplit

from harness_remote.mask import masked_error, said

_SECRET = re.compile(r"key|token|secret|passw|credential|auth|^sig", re.IGNORECASE)
"""Names of parameters whose values must not be in an address."""
_PORTS = {"http": 80, "https": 443}
_ENDING = "/embeddings"
_HINT = "--model http:https://HOST/v1#MODEL, or http:http://localhost:8080/v1#MODEL"
_KEY_HINT = "put the key into HARNESS_API_KEY, which is sent and never written"


@dataclass(frozen=True, slots=True)
class Address:
    """A model on a server; holds no secret."""

    base: str
    """Such as `https://host/v1`: without a slash at its end, without parameters."""
    parameters: str
    """What is sent behind `?`, such as `api-version=1`; may be empty."""
    model: str
    """As the server calls it."""

    def url(self, path: str) -> str:
        """Return the address of a path below the base, such as `embeddings`."""
        return f"{self.base}/{path}" + (f"?{self.parameters}" if self.parameters else "")

    @property
    def host(self) -> str:
        """The host, with its port where it has one."""
        return urlsplit(self.base).netloc

    @property
    def is_loopback(self) -> bool:
        """Whether it is this machine."""
        name = urlsplit(self.base).hostname or ""
        try:
            return ipaddress.ip_address(name).is_loopback
        except ValueError:
            return name == "localhost"

    @property
    def keeps_secrets(self) -> bool:
        """Whether nobody on the way can read what is sent: a key is sent to no other."""
        return self.base.startswith("https:") or self.is_loopback

    @property
    def short_name(self) -> str:
        """The name in tables: the last part of what the server calls the model."""
        return self.model.rstrip("/").rpartition("/")[2] or self.model


def read_address(scheme: str, location: str) -> Address:
    """Read what stands behind `http:` or `https:`, which may be the rest of an address itself.

    Raises HarnessError for what is not an address, for one without a model, and for one with a key, a user or
    a password, which it does not repeat.
    """
    text = f"{scheme}:{location}" if location.startswith("//") else location
    parts, port = _split(text)
    if "@" in parts.netloc:
        raise masked_error(
            "a model's address has a user or a password, which records would keep", hint=_KEY_HINT
        )
    for name, _ in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRET.search(name):
            raise masked_error(
                f"a model's address has the parameter {name!r}, whose value records would keep",
                hint=_KEY_HINT,
            )
    if parts.scheme not in _PORTS or not parts.hostname:
        raise masked_error(f"not an address of a server of embeddings: {said(text, 200)}", hint=_HINT)
    base = _base(parts, port)
    if not parts.fragment:
        raise masked_error(
            f"no model is named behind {base}", hint=f"--model http:{base}#MODEL; {base}/models lists them"
        )
    return Address(base, parts.query, parts.fragment)


def _split(text: str) -> tuple[SplitResult, int | None]:
    """Return the parts of an address and its port."""
    with suppress(ValueError):
        parts = urlsplit(text)
        return parts, parts.port
    # Not within an `except`: the error would keep the other one, which quotes what it found.
    raise masked_error("not an address of a server of embeddings", hint=_HINT)


def _base(parts: SplitResult, port: int | None) -> str:
    """Return the address in one spelling, so that one server has one fingerprint."""
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    where = host if port in (None, _PORTS[parts.scheme]) else f"{host}:{port}"
    path = parts.path.rstrip("/").removesuffix(_ENDING)
    return f"{parts.scheme}://{where}{path or '/v1'}"
