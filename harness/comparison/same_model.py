"""A model compared with itself: a mistake where the records are the very same, else worth a note."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from harness.comparison.sources import ModelResults, Slot


def refuse_same_records(baseline: ModelResults, candidates: Sequence[ModelResults]) -> None:
    """Raise HarnessError for a candidate whose records are those of the baseline.

    Its gate would pass whatever the candidate is that was meant: a wrong path must not look like a result.
    """
    for candidate in candidates:
        named_alike = baseline.candidate.model == candidate.candidate.model
        same_model = named_alike and baseline.fingerprint == candidate.fingerprint
        if same_model and _same_place(baseline, candidate):
            raise HarnessError(
                f"baseline and candidate are the same results: {baseline.name} of {baseline.source}"
                + (f" and {candidate.source}" if candidate.source != baseline.source else ""),
                hint="name the candidate's own folder, or its model by --candidate NAME; to see whether a"
                " model is reproducible, run it again with another --out and compare that",
            )


def without_repeated(candidates: Sequence[ModelResults]) -> list[ModelResults]:
    """Return the candidates, each once: a model from two folders is one where its results are the same.

    A selection and its correction count candidates, and one that was given twice is no further one.
    """
    once: list[ModelResults] = []
    for candidate in candidates:
        if not any(_same_results(candidate, other) for other in once):
            once.append(candidate)
    return once


def _same_results(left: ModelResults, right: ModelResults) -> bool:
    """Whether two sides are one model with equal answers, or are read from one place."""
    if (left.candidate.model, left.fingerprint) != (right.candidate.model, right.fingerprint):
        return False
    return _same_place(left, right) or _records(left) == _records(right)


def _records(model: ModelResults) -> dict[Slot, object]:
    """Return what was answered to each task, without what may differ between two runs to the same answers."""
    evaluations = {slot: result.evaluation for slot, result in model.answered.items()}
    return {
        slot: (each.examination, each.status, each.predictions, each.scores)
        for slot, each in evaluations.items()
    }


def same_model_notes(baseline: ModelResults, candidates: Sequence[ModelResults]) -> list[str]:
    """Return a note for each candidate that is the baseline's model, from another run or by another name.

    Of a model that is not identified, that is not known.
    """
    return [
        f"the same model on both sides ({candidate.fingerprint[:8]}): {baseline.name} of {baseline.source}"
        f" and {candidate.name} of {candidate.source}"
        for candidate in candidates
        if baseline.fingerprint == candidate.fingerprint and baseline.identified
    ]


def alike_seeds_notes(candidates: Sequence[ModelResults], slots: Sequence[Slot]) -> Iterator[str]:
    """Yield a note for each group of training seeds that have the very same predictions.

    slots: the results that are compared. Alike are those with equal predictions on all of them, of which one
    was answered at least.
    """
    groups: dict[tuple[str | None, ...], list[str]] = {}
    for candidate in candidates:
        results = [candidate.answered.get(slot) for slot in slots]
        answers = tuple(result.evaluation.predictions if result else None for result in results)
        if any(answers):
            groups.setdefault(answers, []).append(candidate.name)
    for names in groups.values():
        if len(names) > 1:
            yield (
                f"{', '.join(names[:-1])} and {names[-1]} have the very same answers, which show less spread"
                " than seeds have: was a checkpoint copied, or a seed used twice?"
            )


def _same_place(left: ModelResults, right: ModelResults) -> bool:
    return any(_same_file(one, other) for one, other in zip(_places(left), _places(right), strict=True))


def _places(model: ModelResults) -> tuple[Path | None, Path | None]:
    """Return where records and rows are read from: the folder of records, and the CSV."""
    return (model.folder / "records" if model.folder else None), model.file


def _same_file(left: Path | None, right: Path | None) -> bool:
    return (
        left is not None and right is not None and left.exists() and right.exists() and left.samefile(right)
    )
