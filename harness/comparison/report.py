"""A command's comparisons together: how they are made, what they say in each format, and the exit code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.comparison.request import CompareRequest
    from harness.comparison.result import Comparison, ParetoPoint, Selection
    from harness.comparison.sources import ModelResults
    from harness.results.unreadable import Unreadable
    from harness.tasks.interface import Task
    from harness.tasks.suites import Suite

    Pairs = Sequence[tuple[ModelResults, Sequence[ModelResults]]]
    """Each baseline with its candidates."""

FORMATS = ("md", "json", "csv", "junit", "github")
"""Formats of `ComparisonReport.document`."""
MAX_WITHOUT_FRONT = 2
"""Maximum number of models without a table of quality and speed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonReport:
    """Comparisons of one or several candidates with a baseline, made and corrected together."""

    comparisons: tuple[Comparison, ...]
    """One for each candidate; of a selection the winner's alone; of all pairs one for each pair."""
    front: tuple[ParetoPoint, ...] = ()
    """Quality and speed of more than two models, best first; empty for two, whose own tables have them."""
    warnings: tuple[str, ...] = ()
    """On all comparisons together."""
    selection: Selection | None = None
    matrix: bool = False
    """Whether every model was compared with every other."""
    problems: tuple[str, ...] = ()
    """One sentence for each file that could not be read or written."""
    whole: bool = True
    """Whether all that may decide could be read; where not, nothing passes."""
    models: tuple[ModelResults, ...] = field(default=(), repr=False)
    """The models that were compared, the baseline first."""

    @property
    def exit_code(self) -> int:
        """The most serious exit code: 0 passes, 1 fails, 2 broken, 3 not comparable, 4 undecided."""
        if not self.whole:
            return 2
        codes = {comparison.exit_code for comparison in self.comparisons}
        return next((code for code in (2, 3, 1, 4) if code in codes), 0)

    def document(self, form: str) -> str:
        """Write everything in one of FORMATS."""
        from harness.comparison import formats
        from harness.comparison.markdown import markdown

        shown = self.comparisons
        if form == "md":
            return markdown(
                shown,
                matrix=self.matrix,
                front=self.front,
                warnings=self.warnings,
                selection=self.selection,
            )
        if form == "json":
            return formats.to_json(shown, self.front, self.warnings, self.selection)
        if form == "github":
            return formats.to_github(shown, self.warnings, matrix=self.matrix)
        return formats.to_csv(shown) if form == "csv" else formats.to_junit(shown, matrix=self.matrix)


def report_on(
    request: CompareRequest,
    tasks: Mapping[str, Task],
    suites: Mapping[str, Suite],
    ledger: Path | None = None,
) -> ComparisonReport:
    """Read the results that a request names, compare them, and note the comparison in a ledger, if any.

    Raises HarnessError for what is asked in vain, and as `compare` does.
    """
    from harness.comparison.request import model_pairs
    from harness.comparison.selection_request import check_select
    from harness.results.unreadable import Unreadable

    selecting = check_select(request.choice, request.pair, request.scope)
    if ledger is not None:
        from harness.comparison.ledger import check_ledger

        check_ledger(ledger)  # before any work
    unreadable = Unreadable()
    pairs = model_pairs(request.pair, unreadable, every=selecting)
    return report_on_pairs(pairs, request, tasks, suites, unreadable, ledger)


def report_on_pairs(
    pairs: Pairs,
    request: CompareRequest,
    tasks: Mapping[str, Task],
    suites: Mapping[str, Suite],
    unreadable: Unreadable,
    ledger: Path | None = None,
) -> ComparisonReport:
    """Compare models that were read already: each baseline with its candidates; otherwise as `report_on`.

    unreadable: what could not be read of them. The paths and names of the request are not looked at.
    """
    from harness.comparison.compare import compare
    from harness.comparison.ledger import note_looks
    from harness.comparison.notes import candidates_warning
    from harness.comparison.request import compare_options
    from harness.comparison.selection_request import check_select, select

    selecting, matrix = check_select(request.choice, request.pair, request.scope), request.pair.all_pairs
    options = compare_options(request.scope, request.gate, tasks, suites, pairs, matrix=matrix)
    selected = select(request.choice, pairs, options, suites) if selecting else None
    comparisons = selected.judged if selected else compare(pairs, options)
    problems = [*unreadable.sentences]
    # A file that may be of any model may be the result that decides: without it nothing passes.
    whole = not unreadable.unplaced
    if ledger is not None:
        comparisons, of_ledger, noted = note_looks(ledger, comparisons, selected.pairs if selected else pairs)
        problems, whole = problems + of_ledger, whole and noted
    warning = None if matrix or selecting else candidates_warning(comparisons, options.gate)
    every = [side for base, others in pairs for side in (base, *others)]
    by_model = {(side.name, side.fingerprint): side for side in every}
    return ComparisonReport(
        comparisons=(comparisons[selected.shown],) if selected else tuple(comparisons),
        front=_pareto_front([*by_model.values()]),
        warnings=(*([warning] if warning else []), *(selected.warnings if selected else ())),
        selection=selected.selection if selected else None,
        matrix=matrix,
        problems=tuple(problems),
        whole=whole,
        models=tuple({(side.name, side.fingerprint, side.source): side for side in every}.values()),
    )


def _pareto_front(models: Sequence[ModelResults]) -> tuple[ParetoPoint, ...]:
    """Return quality and speed of all models; none for two, whose own table has them."""
    from harness.comparison.pareto import pareto_front

    return tuple(pareto_front(models)) if len(models) > MAX_WITHOUT_FRONT else ()
