"""What a report compares: all other models against one baseline, for each baseline."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from harness.comparison.command import compare_command
from harness.comparison.report import ComparisonReport, report_on_pairs
from harness.errors import HarnessError
from harness.report.content import ComparedWith

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.comparison.report import Pairs
    from harness.comparison.sources import ModelResults
    from harness.report.request import ReportRequest
    from harness.results.unreadable import Unreadable
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite

MOST_BASELINES = 10
"""Maximum number of models of which each is a baseline; of more, only the chosen one is."""

Outcome = Literal["passes", "fails", "broken", "not-comparable", "undecided"]

_OUTCOMES: dict[int, Outcome] = {
    0: "passes",
    1: "fails",
    2: "broken",
    3: "not-comparable",
    4: "undecided",
}
"""Exit code of `harness compare` → outcome."""


class Comparer:
    """Compares the models of a report as `harness compare` would."""

    def __init__(
        self,
        request: ReportRequest,
        tasks: Mapping[str, Task],
        suites: Mapping[str, Suite],
        unreadable: Unreadable,
    ) -> None:
        self._request, self._tasks, self._suites = request, tasks, suites
        self._unreadable = unreadable

    def against(
        self, baseline: ModelResults, models: Sequence[ModelResults], *, select: bool = False
    ) -> ComparisonReport:
        """Hold all other models against a baseline; select: and select the best of them."""
        request = self._request.compare_request(baseline, models, select=select)
        by_name = sorted(models, key=lambda model: model.name)  # as `harness compare` takes them
        pairs: Pairs = [(baseline, [model]) for model in by_name if model is not baseline]
        return report_on_pairs(pairs, request, self._tasks, self._suites, self._unreadable)

    def best(
        self, baseline: ModelResults, models: Sequence[ModelResults]
    ) -> tuple[ComparisonReport | None, str]:
        """Select the best of several candidates; None, and why, where none can be selected."""
        if len(models) < 3:  # a baseline and two candidates
            return None, ""
        try:
            return self.against(baseline, models, select=True), ""
        except HarnessError as error:
            return None, error.message

    def family(
        self, baseline: ModelResults, models: Sequence[ModelResults], found: ComparisonReport | None = None
    ) -> ComparedWith:
        """Return the comparisons with a baseline; found: what `against` returned, if it was called."""
        request = self._request.compare_request(baseline, models)
        command = compare_command(request, self._request.plugin_files, self._request.task_files)
        return compared_with(baseline.name, command, found or self.against(baseline, models))


def compared_with(baseline: str, command: str, report: ComparisonReport) -> ComparedWith:
    """Return comparisons with a baseline as a report has them, without examples."""
    return ComparedWith(
        baseline=baseline,
        command=command,
        outcome=outcome_of(report.exit_code),
        comparisons=tuple(replace(comparison, changes=()) for comparison in report.comparisons),
        warnings=report.warnings,
    )


def outcome_of(exit_code: int) -> Outcome:
    """Return the outcome that an exit code of `harness compare` means."""
    return _OUTCOMES[exit_code]
