"""Templates of the page, and how they write names, numbers and shares."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness.authoring import number, one_line, percent, plural, rank_text, shortened, verb
from harness_report.names import OUTCOMES, SIGNS, printable, signed, unbroken

if TYPE_CHECKING:
    from jinja2 import Environment


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
        "number": lambda value, form=".4f": number(value, form).replace("-", "−"),
        "line": one_line,
        "percent": percent,
        "plural": lambda count, noun, many="": plural(count, noun, many),
        "shortened": shortened,
        "signed": lambda value, form="+.4f": signed(value, form),
        "rank": ranks_and_chance,
        "unbroken": unbroken,
        "thousands": lambda value: "–" if value is None else f"{value:,.0f}",
        "p": lambda value: "<0.0001" if value is not None and value < 0.00005 else number(value),
        "bytes": bytes_as_text,
    }
    made.globals |= {"SIGNS": SIGNS, "OUTCOMES": OUTCOMES, "verb": verb}
    return made


def _printable(value: Any) -> Any:  # noqa: ANN401 - what a template prints
    """Return what is printed: texts are bounded, and have no characters that turn or hide others."""
    return printable(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def ranks_and_chance(ranked: Any) -> str:  # noqa: ANN401 - a row of a board, or of a ranking
    """Return a rank interval with the chance to lead, as the command line: `1–4 (49 %)`; `–` without one."""
    if ranked is None or ranked.rank is None or ranked.best is None:
        return "–"
    return rank_text(ranked.rank, ranked.best)


def bytes_as_text(size: float | None) -> str:
    """Return a size in MB or kB, of a thousand each; `–` for None."""
    if not size:
        return "–" if size is None else "0"
    return f"{size / 1e6:,.0f} MB" if size >= 1e6 else f"{size / 1e3:,.1f} kB"


@cache
def static(name: str) -> str:
    """Return a file of the page's own, such as `report.css`, as text."""
    return files("harness_report").joinpath("static", name).read_text(encoding="utf-8")
