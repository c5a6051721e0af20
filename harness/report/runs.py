"""The runs that wrote into the folders of a report, from their journals."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from harness.evaluation.journal import read_runs
from harness.report.content import ReportRun
from harness.results.folder import ResultsFolder
from harness.system.redact import redact

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.evaluation.journal import JournalEntry


def journals(folders: Sequence[Path], notes: list[str]) -> list[list[JournalEntry]]:
    """Return the journals of each folder, oldest first; notes: a sentence for each that is none."""
    return [read_runs(ResultsFolder(folder), notes) for folder in folders]


def report_runs(names: Sequence[str], entries: Sequence[Sequence[JournalEntry]]) -> tuple[ReportRun, ...]:
    """Return the runs of a report. names: of the folders; entries: the journals of each."""
    return tuple(
        ReportRun(
            folder=name,
            command=command_line(entry.command),
            started=entry.started,
            state=entry.state,
            harness=entry.harness,
            python=entry.python,
            platform=entry.platform,
            processor=entry.processor,
            cores=entry.cores,
            git_commit=entry.git_commit,
            libraries=dict(sorted(entry.libraries.items())),
        )
        for name, own in zip(names, entries, strict=True)
        for entry in own
    )


def command_line(words: Sequence[str]) -> str:
    """Return the words of a command as a line for a shell, without secrets; `harness` for our module."""
    program, *rest = words or ("",)
    return redact(shlex.join(["harness" if program in ("harness", "__main__.py") else program, *rest]))
