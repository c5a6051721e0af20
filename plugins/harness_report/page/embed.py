"""What a page carries besides what it shows: data for its script, and the policy that lets only ours run."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import math
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from collections.abc import Iterable

_INERT = str.maketrans({mark: f"\\u{ord(mark):04x}" for mark in "<>&\u2028\u2029"})
"""Characters that could end a script element, or a line of JavaScript, as JSON escapes."""


def as_json(value: Any) -> str:  # noqa: ANN401 - a record
    """Return a record as compact JSON; `null` for numbers that JSON has none for."""
    import msgspec

    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:  # half a character
        plain = _without_surrogates(msgspec.to_builtins(value))
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":"))


def _without_surrogates(value: Any) -> Any:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_without_surrogates(each) for each in value]
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def embedded(text: str) -> Markup:
    """Return JSON as the content of a script element: no text in it ends the element."""
    return Markup(text.translate(_INERT))  # noqa: S704 - no `<`, `>` or `&` is left


def packed(value: Any) -> Markup:  # noqa: ANN401 - a record
    """Return a record as JSON, compressed, in base64: the same bytes for the same record."""
    compressed = gzip.compress(as_json(value).encode(), compresslevel=9, mtime=0)
    return Markup(base64.b64encode(compressed).decode("ascii"))  # noqa: S704 - letters, digits, `+/=`


def policy(*, scripts: Iterable[str], styles: Iterable[str]) -> str:
    """Return a Content-Security-Policy under which these scripts and styles work, and nothing else does.

    scripts, styles: contents of the elements, to the character.
    """
    allowed = {"script-src": [*map(_hash, scripts)], "style-src": [*map(_hash, styles)]}
    nothing = "'none'"
    sources = "; ".join(f"{name} {' '.join(hashes) or nothing}" for name, hashes in allowed.items())
    return f"default-src 'none'; {sources}; img-src data:; base-uri 'none'; form-action 'none'"


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"
