"""Notes on the results of one task: examples left out, texts kept out, doubtful findings, other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.comparison.comparability import library_note, scoring_note
from harness.finding import Severity
from harness.render import plural, verb

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.comparison.measure import TaskPair


def task_notes(pair: TaskPair, task: str, left_out: int, *, texts: bool) -> Iterator[str]:
    """Yield notes on the results of one task.

    left_out: number of examples that not all models have. texts: whether texts are shown or compared.
    """
    if left_out:
        yield (
            f"{task}: {plural(left_out, 'example')} {verb(left_out, 'is', 'are')} left out:"
            " not the same for all models"
        )
    if texts:
        yield from _kept_out_notes(task, pair)
    for result, name in zip((pair.baseline, *pair.candidates), pair.names, strict=True):
        # An error in a finding makes a score meaningless, such as one on rows that were trained on.
        errors = [finding for finding in result.evaluation.all_findings if finding.severity is Severity.ERROR]
        yield from (f"{task}: {finding.code} of {name}: {finding.evidence}" for finding in errors)
    for result in pair.candidates:
        if note := library_note(pair.baseline.evaluation.libraries, result.evaluation.libraries):
            yield note
        if note := scoring_note(pair.baseline.evaluation, result.evaluation):
            yield note


def _kept_out_notes(task: str, pair: TaskPair) -> Iterator[str]:
    """Yield what cannot be shown or compared because `--no-texts` kept texts out of predictions."""
    results = zip((pair.baseline, *pair.candidates), pair.names, strict=True)
    names = [name for result, name in results if result.evaluation.no_texts]
    if names:
        of = f"{task}: texts were kept out of the predictions of {' and '.join(names)} (--no-texts)"
        how = "; examples are the same by id and gold alone" if pair.common else ""
        yield f"{of}: examples have no texts to show{how}"
