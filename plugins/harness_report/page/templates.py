"""Templates of the page, and how they write names, numbers and shares."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from harness.authoring import CONTROL, number, one_line, percent, plural, shortened, verb
from harness_report.names import OUTCOMES, SIGNS, signed

if TYPE_CHECKING:
    from jinja2 import Environment


LONGEST_TEXT = 1000
"""Maximum number of characters of a text: a stranger's would fill the page."""


_OPTION = re.compile(r"(?<!\S)--[a-z][a-z-]{0,30}(?![\w-])")
"""An option in escaped text."""


@cache
def environment() -> Environment:
    """Return the environment: it escapes all that is not markup, and fails where a name is not defined."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("harness_report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=_printable,
    )
    made.filters |= {
        "options": options_unbroken,
        "number": lambda value, form=".4f": number(value, form).replace("-", "−"),
        "line": one_line,
        "percent": percent,
        "plural": lambda count, noun, many="": plural(count, noun, many),
        "shortened": shortened,
        "signed": signed,
        "thousands": lambda value: "–" if value is None else f"{value:,.0f}",
        "p": lambda value: "<0.0001" if value is not None and value < 0.00005 else number(value),
        "bytes": bytes_as_text,
    }
    made.globals |= {"SIGNS": SIGNS, "OUTCOMES": OUTCOMES, "verb": verb}
    return made


def _printable(value: Any) -> Any:  # noqa: ANN401 - what a template prints
    """Return what is printed: texts of a bounded length, without characters that turn or hide others."""
    if isinstance(value, str) and not isinstance(value, Markup):
        value = "\n".join(CONTROL.sub(" ", line) for line in value.split("\n"))
        return value if len(value) <= LONGEST_TEXT else f"{value[: LONGEST_TEXT - 1]}…"
    return value


def options_unbroken(sentence: str) -> Markup:
    """Return a sentence as markup in which no line breaks inside an option such as `--baseline`."""
    escaped = str(escape(_printable(str(sentence))))
    return Markup(_OPTION.sub(r'<span class="nowrap">\g<0></span>', escaped))  # noqa: S704 - escaped


def bytes_as_text(size: float | None) -> str:
    """Return a size in MB or kB, of a thousand each; `–` for None."""
    if not size:
        return "–" if size is None else "0"
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


@cache
def static(name: str) -> str:
    """Return a file of the page's own, such as `report.css`, as text."""
    return files("harness_report").joinpath("static", name).read_text(encoding="utf-8")
