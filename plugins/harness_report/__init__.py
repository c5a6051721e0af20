"""The report: one HTML page, a leaderboard alone, and figures for papers (extra `report`)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl
from harness.authoring import ReportWriter, require_extra

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness.authoring import ReportContent


def _check() -> None:
    require_extra("jinja2", "report", "a report")
    require_extra("markupsafe", "report", "a report")
    require_extra("vl_convert", "report", "a report")


def _page(content: ReportContent) -> str:
    from harness_report.page import page

    return page(content)


def _leaderboard(content: ReportContent) -> str:
    from harness_report.page import leaderboard

    return leaderboard(content)


def _figures(content: ReportContent) -> Mapping[str, str]:
    from harness_report.figures.papers import figures

    return figures(content)


@hookimpl
def harness_reports() -> list[ReportWriter]:
    """Return our writer; its libraries are imported when it is used."""
    return [
        ReportWriter(
            name="html",
            help="one page that needs no network, a leaderboard alone, SVG figures (extra `report`)",
            page=_page,
            leaderboard=_leaderboard,
            figures=_figures,
            check=_check,
        ),
    ]
