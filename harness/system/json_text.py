"""JSON documents that commands print: a dataclass each, with the number of its schema."""

from __future__ import annotations

import json
import math
from dataclasses import fields, is_dataclass
from typing import Any

from harness.system.json_schema import key_of
from harness.system.redact import redact


def json_document(document: object) -> str:
    """Return a dataclass as indented JSON without secrets, every field in it, with a line end."""
    return redact(json.dumps(plain(document), indent=1, ensure_ascii=False, allow_nan=False)) + "\n"


def plain(value: Any) -> Any:  # noqa: ANN401 - a dataclass, or what JSON can hold
    """Return dataclasses as plain data.

    What JSON cannot hold is replaced: a number that is not finite by null, a surrogate (in a path) by `?`.
    """
    if is_dataclass(value) and not isinstance(value, type):
        return {key_of(column.name): plain(getattr(value, column.name)) for column in fields(value)}
    if isinstance(value, dict):
        return {plain(key): plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | frozenset):
        return [plain(inner) for inner in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value.encode(errors="replace").decode() if isinstance(value, str) else value
