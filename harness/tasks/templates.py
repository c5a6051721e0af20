"""Templates that combine the fields of a data row into one text."""

from __future__ import annotations

import math
import string
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


def render(template: str, record: Mapping[str, Any]) -> str:
    r"""Fill a template such as "{page_name} — {section_title}\n{text}" with a record's fields.

    Braces take a plain name, or a dotted one for a record within the record, such as "{record1.text}". A
    template is data: formatting, attributes and indexes are refused.
    Raises HarnessError for those, and for a field that the record does not have.
    """
    parts = []
    for literal, name, spec, conversion in _template_parts(template):
        parts.append(literal)
        if name is None:
            continue
        if spec or conversion or not all(part.isidentifier() for part in name.split(".")):
            raise HarnessError(f"template {template!r}: {name!r} in braces is not a plain name")
        value = _look_up(record, name)
        if not isinstance(value, str | int) and not (isinstance(value, float) and math.isfinite(value)):
            found = list(_field_names(record))
            raise HarnessError(
                f"template {template!r} needs the field {name!r}",
                exists="\n".join([*did_you_mean(name, found), f"found: {', '.join(found)}"]),
            )
        parts.append(str(value))
    return "".join(parts)


def _look_up(record: Mapping[str, Any], dotted: str) -> Any:  # noqa: ANN401 - any value of a record
    """Return the value of a dotted name, by keys of records within records; None if there is none."""
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
