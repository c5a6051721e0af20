"""Say which records of a table contradict the others: they describe a metric of the same task otherwise.

A record names the columns that its metrics read. A forged one may name others and be sound in itself; the
records of the other models, who were asked the same, then say something else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from harness.results.soundness import as_broken, described, reads

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from harness.results.records import Evaluation

    Statement = tuple[object, ...]


def broken_where_disagreeing(evaluations: Sequence[Evaluation], problems: list[str]) -> list[Evaluation]:
    """Return records in their order, as broken those that `disagreements` names.

    problems: gets one sentence for each of these.
    """
    faults = disagreements(evaluations)
    for position, fault in faults.items():
        model, task = evaluations[position].candidate.model, evaluations[position].examination.task
        problems.append(f"{model} on {task}: {fault}; it is not ranked")
    return [
        as_broken(evaluation, faults[position]) if position in faults else evaluation
        for position, evaluation in enumerate(evaluations)
    ]


def disagreements(evaluations: Sequence[Evaluation]) -> dict[int, str]:
    """Return which records contradict those of the same examination, or of the same kind: position → why.

    Of what records say differently, that of most counts; where no one has most, all that differ are named.
    """
    found: dict[int, str] = {}
    stated: dict[Statement, list[tuple[int, Statement, str]]] = defaultdict(list)
    for position, evaluation in enumerate(evaluations):
        if evaluation.status == "ok":
            for about, said, words in _statements(evaluation):
                stated[about].append((position, said, words))
    for said_by in stated.values():
        for position, why in _outvoted(said_by):
            found.setdefault(position, why)
    answered = {one.kind for one in evaluations if one.status == "ok" and one.predictions is not None}
    for position, evaluation in enumerate(evaluations):
        if evaluation.status == "ok" and evaluation.predictions is None and evaluation.kind in answered:
            why = f"its record names no predictions, and others of the kind {evaluation.kind} have them"
            found.setdefault(position, why)
    return dict(sorted(found.items()))


def _statements(evaluation: Evaluation) -> Iterator[tuple[Statement, Statement, str]]:
    """Yield what a record says of its task: about what, what, and in words."""
    headline = evaluation.scores[0].metric
    yield (evaluation.examination, "headline"), (headline,), f"its headline is {headline}"
    for score in evaluation.scores:
        about = evaluation.examination, "metric", score.metric
        yield about, reads(score), f"its {score.metric} reads {described(score)}"


def _outvoted(said_by: Iterable[tuple[int, Statement, str]]) -> Iterator[tuple[int, str]]:
    """Yield the position and a sentence of each record that does not say what most say."""
    said_by = list(said_by)
    votes = Counter(said for _, said, _ in said_by)
    if len(votes) < 2:
        return
    (first, most), (_, next_most) = votes.most_common(2)
    words_of = {said: words for _, said, words in said_by}
    for position, said, words in said_by:
        if most > next_most and said != first:
            yield position, f"{words}; in the records of {most} other models {words_of[first]}"
        elif most == next_most:
            other = next(text for each, text in words_of.items() if each != said)
            told = "`harness verify`, with the plugin of the task, says which was changed"
            yield position, f"{words}; in the record of another model {other}: {told}"
