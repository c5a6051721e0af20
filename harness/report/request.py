"""What a report is asked: which folders, against which baseline, by which gate, and what is left out."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.comparison.command import file_words, gate_words
from harness.comparison.request import CompareRequest, GateOptions, PairOptions, ScopeOptions, SelectOptions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.comparison.sources import ModelResults
    from harness.results.significance import Family

MOST_EXAMPLES = 200
"""Maximum number of examples of a task in a report, unless another is asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """All that a report is asked."""

    folders: tuple[str, ...]
    """Paths of results folders."""
    shown: tuple[str, ...] = ()
    """What the report calls them; the paths themselves if empty."""
    baseline: str | None = None
    """Name of a model; None for the one that `baseline.choose_baseline` takes."""
    margin: float | None = None
    gate: str | None = None
    """A gate file."""
    domain: tuple[str, ...] = ()
    """Tags, inside of which gains are summed up, and losses outside."""
    family: Family = "task"
    title: str | None = None
    """None for one that says what was compared."""
    texts: bool = True
    """Whether texts of rows may be in it."""
    most_examples: int = MOST_EXAMPLES
    """Maximum number of examples of a task."""
    data: str | None = None
    """Folder of the data, for the texts of documents; None where only what results hold is shown."""
    plugin_files: tuple[str, ...] = ()
    task_files: tuple[str, ...] = ()
    """Named in the commands that make it again."""

    @property
    def names(self) -> tuple[str, ...]:
        """What the report calls the folders."""
        return self.shown or self.folders

    def compare_request(
        self, baseline: ModelResults, models: Sequence[ModelResults], *, select: bool = False
    ) -> CompareRequest:
        """Return what asks `harness compare` to hold all other models against a baseline.

        select: for the best of several candidates.
        """
        several = len(self.folders) > 1
        # Of two models in a folder, the other one is the candidate without a name.
        named = ("*",) if len(models) > 2 and not several else ()
        return CompareRequest(
            pair=PairOptions(
                paths=self.folders,
                shown=self.names,
                baseline=baseline.name,
                candidates=named,
                seeds=False,
                all_pairs=False,
                merge=several,
            ),
            scope=ScopeOptions(tasks=(), metrics=(), allow=(), domain=self.domain, power=False, why=False),
            gate=GateOptions(margin=self.margin, gate=self.gate),
            choice=SelectOptions(select="best" if select else None, by=None, select_on=(), confirm_on=()),
        )

    def report_command(self) -> str:
        """Return the command, as a line for a shell, that writes the report."""
        words = ["harness", "report", *self.names, "-o", "report.html"]
        words += ["--baseline", self.baseline] if self.baseline is not None else []
        words += gate_words(self.margin, self.gate)
        words += [word for tag in self.domain for word in ("--domain", tag)]
        words += ["--family", self.family] if self.family != "task" else []
        words += ["--title", self.title] if self.title is not None else []
        words += [] if self.texts else ["--no-texts"]
        words += ["--examples", str(self.most_examples)] if self.most_examples != MOST_EXAMPLES else []
        words += ["--data", self.data] if self.data is not None else []
        return shlex.join([*words, *file_words(self.plugin_files, self.task_files)])
