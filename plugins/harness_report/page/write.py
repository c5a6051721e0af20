"""Pages of a content, as text: the same content gives the same bytes."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from harness_report.figures import FIGURES
from harness_report.figures.drawing import compiled_text
from harness_report.names import Names, task_names
from harness_report.page.embed import as_json, embedded, packed, policy
from harness_report.page.headline_table import headline_table
from harness_report.page.pairs import example_boards
from harness_report.page.pictures import Pictures
from harness_report.page.templates import environment, static

if TYPE_CHECKING:
    from harness.authoring import ReportContent


def page(content: ReportContent) -> str:
    """Return the whole page: complete without JavaScript, and with its data for the script."""
    pictures = Pictures(content)
    return _rendered(
        "page.html",
        content,
        scripts=("theme.js", "report.js"),
        pictures=pictures,
        sections=sections(content),
        tasks=task_names(content.boards),
        table=headline_table(content),
        example_boards=example_boards(content),
        data=embedded(as_json(replace(content, examples=()))),
        figures=embedded(
            f"{{{','.join(f'{chr(34)}{one.name}{chr(34)}:{compiled_text(one)}' for one in FIGURES)}}}"
        ),
        packed=[(one.board, packed(one)) for one in content.examples],
    )


def sections(content: ReportContent) -> list[tuple[str, str]]:
    """Return id and name of each section that has something to say."""
    present = {
        "answer": ("Answer", True),
        "leaderboard": ("Leaderboard", True),
        "comparison": ("Comparison", content.compared),
        "examples": ("Examples", content.examples),
        "trade-off": ("Trade-off", content.trade_off),
        "distributions": ("Distributions", content.distributions),
        "training": ("Training", content.trainings),
        "environment": ("Environment", True),
    }
    return [(ident, name) for ident, (name, there) in present.items() if there]


def leaderboard(content: ReportContent) -> str:
    """Return a page with the leaderboard alone, without a script."""
    return _rendered("leaderboard_page.html", content, scripts=(), table=headline_table(content))


def _rendered(template: str, content: ReportContent, *, scripts: tuple[str, ...], **parts: Any) -> str:  # noqa: ANN401 - what templates take
    codes = {name: static(name) for name in scripts}
    style = static("report.css") + (static("views.css") if scripts else "")
    return (
        environment()
        .get_template(template)
        .render(
            content=content,
            who=Names([model.name for model in content.models]),
            policy=policy(scripts=codes.values(), styles=[style]),
            style=Markup(style),  # noqa: S704 - a file of ours
            scripts={name: Markup(code) for name, code in codes.items()},  # noqa: S704 - files of ours
            **parts,
        )
    )
