"""Write a report for a command: the page of `-o`, and of `--report FILE` of other commands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from harness.cli.workspace import Workspace
    from harness.plugins.report_writer import ReportWriter
    from harness.report.content import ReportContent

    Command = Callable[..., Any]


def report_option(command: Command) -> Command:
    """Add `--report`; the command gets `report_file: str | None`."""
    return click.option(
        "--report",
        "report_file",
        metavar="FILE",
        help="Write a page of it, too: report.html (`harness report`, docs/report.md).",
    )(command)


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A page that is to be written."""

    path: Path
    writer: ReportWriter
    option: str
    """That named the file."""

    @classmethod
    def of(cls, file: str, workspace: Workspace, option: str = "--report") -> ReportFile:
        """Return where and how a page is written; nothing is written yet.

        Raises HarnessError for a folder or device, and where no plugin can write pages.
        """
        from harness.plugins.selection import select_report_writer
        from harness.report.write import refuse_other_than_file

        path = user_path(file)
        refuse_other_than_file(path, option)
        return cls(path, select_report_writer(workspace.plugins), option)

    @classmethod
    def if_named(cls, file: str | None, workspace: Workspace) -> ReportFile | None:
        """Return what `of` does; None without a file."""
        return None if file is None else cls.of(file, workspace)

    def write(self, content: ReportContent) -> str:
        """Write the page atomically; return a line that says what is in it, and what was left out."""
        from harness.report.write import page_text
        from harness.system.atomic import write_report

        page = page_text(self.writer, content).encode(errors="replace")
        write_report(self.path, page, self.option)
        return f"written: {shown_path(self.path)} ({_size(len(page))}); {summary(content)}"


def summary(content: ReportContent) -> str:
    """Return a line on a report: its outcome, what is in it, and what was left out."""
    from harness.render import plural

    shown = sum(len(one.ids) for one in content.examples)
    left_out = sum(one.left_out for one in content.examples)
    parts = [
        _outcome(content),
        f"{plural(len(content.models), 'model')} on {plural(len(content.boards), 'board')}",
        f"{plural(shown, 'example')}" + (f", {left_out:,} left out" if left_out else ""),
    ]
    parts += [] if content.texts else ["without texts"]
    parts += ["one baseline only"] if content.not_compared else []
    return ", ".join(parts)


def _outcome(content: ReportContent) -> str:
    """Return whom the report judges, how, and what is wrong with other candidates."""
    from harness.render import named

    answer = content.answer
    whose = f" of {named(answer.judged)}" if answer.judged else ""
    others = f" ({'; '.join(answer.others)})" if answer.others else ""
    return f"outcome{whose}: {answer.standing}{others}"


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
