"""Templates: a record of named fields becomes one text."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def render(template: str, record: Mapping[str, Any]) -> str:
    r"""Fill a template such as "{page_name} — {section_title}\n{text}" with a record's fields.

    Only plain names stand in braces, or dotted ones that lead into a record within the record, such as
    "{record1.text}": a template is data, so there is no formatting, attribute or index in it.
    Raises HarnessError for anything else, and for a field that the record lacks.
    """
    parts = []
    for literal, name, spec, conversion in _template_parts(template):
        parts.append(literal)
        if name is None:
            continue
        if spec or conversion or not all(part.isidentifier() for part in name.split(".")):
            raise HarnessError(
                f"template {template!r}: only plain {{names}} may stand in braces, not {name!r}"
            )
        value = _look_up(record, name)
        if not isinstance(value, str | int) and not (isinstance(value, float) and math.isfinite(value)):
            raise HarnessError(
                f"template {template!r} needs the field {name!r}",
                exists=f"found: {', '.join(_field_names(record))}",
            )
        parts.append(str(value))
    return "".join(parts)


def _look_up(record: Mapping[str, Any], dotted: str) -> Any:  # noqa: ANN401 - whatever the record holds
    """Look a dotted name up in records within records, by key alone; None where there is none."""
    value: Any = record
    for name in dotted.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _field_names(record: Mapping[str, Any], inside: str = "") -> Iterable[str]:
    for name, value in record.items():
        if isinstance(value, Mapping):
            yield from _field_names(value, f"{inside}{name}.")
        else:
            yield f"{inside}{name}"


def _template_parts(template: str) -> Iterable[tuple[str, str | None, str | None, str | None]]:
    try:
        return list(string.Formatter().parse(template))
    except ValueError as error:
        raise HarnessError(f"template {template!r} cannot be read: {error}") from error


def render_row(template: str, record: Mapping[str, Any], path: Path, row: int) -> str:
    """Fill a template as `render` does; an error names the file and the row."""
    try:
        return render(template, record)
    except HarnessError as error:
        raise HarnessError(
            f"{path}: row {row}: {error.message}", exists=error.exists, hint=error.hint
        ) from error
