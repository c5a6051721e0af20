"""The contract of report writers: what makes a page, tables and figures of the content of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportWriter:
    """A way to write reports, as `harness list reports` shows it; `harness report` takes the one named html.

    `content` is a `harness.authoring.ReportContent`. The same content gives the same text.
    """

    name: str
    help: str
    """One line."""
    page: Callable[[Any], str]
    """content → the whole page, of one file that needs no network."""
    leaderboard: Callable[[Any], str]
    """content → its leaderboard alone, a page without scripts."""
    figures: Callable[[Any], Mapping[str, str]]
    """content → name of a figure → SVG that stands alone."""
    check: Callable[[], None] = lambda: None
    """Raise HarnessError where it cannot be used, such as for a missing library: asked before any work."""
