"""Reports of results as Python users have them: a page that a notebook shows, and a file."""

from __future__ import annotations

import html
import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.system.paths import user_path

if TYPE_CHECKING:
    from pathlib import Path

    from harness.plugins.loader import Plugins
    from harness.plugins.report_writer import ReportWriter
    from harness.report.content import ReportContent

    PathLike = str | os.PathLike[str]

_HEIGHT = 800
"""Pixels of a page in a notebook."""
_FILES = {"plugins": "plugin_files", "task_files": "task_files"}
"""Options that are files → their names in `ReportRequest`."""
_EXAMPLES = "most_examples"
"""Name in `ReportRequest` of the option `examples`."""
_NAMES = {"domain"}
"""Options that are names, one or several."""
_OWN = frozenset({"folders", "shown"})
"""Fields of a request that are no options."""


@dataclass(frozen=True, slots=True)
class ReportPage:
    """A report: what it says, and the page."""

    content: ReportContent
    """What it says, as plain data: `harness schema report`."""
    page: str
    """The page, as HTML of one file."""

    @classmethod
    def write(cls, writer: ReportWriter, content: ReportContent, path: PathLike | None) -> ReportPage:
        """Make a page, and write it to a path, if any."""
        from harness.report.write import page_text

        made = cls(content, page_text(writer, content))
        if path is not None:
            made.save(path)
        return made

    def save(self, path: PathLike) -> None:
        """Write the page; raises HarnessError for a folder or device, and where it cannot be written."""
        from harness.report.write import refuse_other_than_file
        from harness.system.atomic import write_report

        file = user_path(path)
        refuse_other_than_file(file, "path")
        write_report(file, self.page.encode(errors="replace"), "path")

    def __repr__(self) -> str:
        return f"<ReportPage: {self.content.answer.compared} {' '.join(self.content.answer.sentences)}>"

    def _repr_html_(self) -> str:
        """Return the page in a frame of its own, which can reach neither the notebook nor a network."""
        inner = html.escape(self.page)
        return (
            f'<iframe sandbox="allow-scripts" title="{html.escape(self.content.title)}" width="100%"'
            f' height="{_HEIGHT}" style="border:0" srcdoc="{inner}"></iframe>'
        )


def open_writer(plugins: Plugins, path: PathLike | None) -> ReportWriter:
    """Return the writer of pages; raises HarnessError where there is none, and for a folder or device."""
    from harness.plugins.selection import select_report_writer
    from harness.report.write import refuse_other_than_file

    if path is not None:
        refuse_other_than_file(user_path(path), "path")
    return select_report_writer(plugins)


def report_page(folder: Path, shown: str, path: PathLike | None, **options: Any) -> ReportPage:  # noqa: ANN401
    """Return the report of a results folder. shown: what it calls the folder; options: see `Results.report`.

    Raises HarnessError for an unknown option, and as `harness report` does.
    """
    from harness.api.tasks import open_plugins, tasks_of
    from harness.report.collect import collect
    from harness.report.request import ReportRequest

    request = ReportRequest(folders=(str(folder),), shown=(shown,), **_request_options(options))
    loaded = open_plugins(request.plugin_files)
    writer = open_writer(loaded, path)
    content = collect(request, tasks_of(loaded, request.task_files))
    return ReportPage.write(writer, content, path)


def _request_options(options: dict[str, Any]) -> dict[str, Any]:
    """Return options as fields of a `ReportRequest`; raises HarnessError for an unknown one."""
    from harness.report.request import ReportRequest

    known = {field.name for field in fields(ReportRequest)} - _OWN - {*_FILES.values(), _EXAMPLES}
    known |= {*_FILES, "examples"}
    found: dict[str, Any] = {}
    for name, value in options.items():
        if name not in known:
            raise HarnessError.unknown("option of report", name, known)
        if name in _FILES:
            found[_FILES[name]] = tuple(map(os.fspath, value))
        elif name == "examples":
            found[_EXAMPLES] = value
        elif name in _NAMES:
            found[name] = (value,) if isinstance(value, str) else tuple(value)
        else:
            found[name] = os.fspath(value) if name in ("gate", "data") and value is not None else value
    return found
