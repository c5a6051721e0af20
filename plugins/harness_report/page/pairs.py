"""Examples of the first pair that changed most, as rows of tables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.authoring import number, verb
from harness_report.names import signed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.authoring import ModelAnswers, ReportBoard, ReportContent, TaskExamples

BOARDS, ROWS, TEXT, DOCUMENT = 8, 4, 600, 100
"""Maximum number of boards, of examples of each, of characters of a text and of a document, as it is."""


@dataclass(frozen=True, slots=True)
class Example:
    """An example and what both models said."""

    id: str
    texts: tuple[tuple[str, str], ...]
    gold: str
    baseline: str
    candidate: str
    change: float
    change_words: str
    """The change with its sign; of ranks, how many the answer moved."""


@dataclass(frozen=True, slots=True)
class ExampleBoard:
    """Examples of a board."""

    board: ReportBoard
    examples: TaskExamples
    rows: tuple[Example, ...]


@dataclass(frozen=True, slots=True)
class Pair:
    """The pair whose examples are shown, and where its answers differ most."""

    baseline: str
    candidate: str
    boards: tuple[ExampleBoard, ...]


def first_pair(content: ReportContent) -> tuple[str, str] | None:
    """Return the baseline and the winner, or the first candidate; None for a single model."""
    if not content.compared:
        return None
    first = content.compared[0]
    winner = content.answer.selection.winner if content.answer.selection else None
    names = [one.candidate.name for one in first.comparisons]
    if not names:
        return None
    return first.baseline, winner if winner in names else names[0]


def example_boards(content: ReportContent) -> Pair | None:
    """Return the examples that changed most between the first pair; None without a pair or examples."""
    pair = first_pair(content)
    if pair is None:
        return None
    boards = {board.id: board for board in content.boards}
    found = []
    for examples in content.examples:
        answers = {one.model: one for one in examples.models}
        if examples.board in boards and pair[0] in answers and pair[1] in answers:
            rows = _rows(examples, answers[pair[0]], answers[pair[1]])
            if rows:
                found.append(ExampleBoard(boards[examples.board], examples, rows))
    return Pair(*pair, tuple(found[:BOARDS])) if found else None


def _rows(examples: TaskExamples, baseline: ModelAnswers, candidate: ModelAnswers) -> tuple[Example, ...]:
    """Return examples in both directions: the most lost first, then the most gained, of any change."""
    changes = [
        (theirs - ours, index)
        for index, (ours, theirs) in enumerate(zip(baseline.quality, candidate.quality, strict=False))
        if ours is not None and theirs is not None and theirs != ours
    ]
    lost = sorted(one for one in changes if one[0] < 0)
    won = sorted((one for one in changes if one[0] > 0), key=lambda one: (-one[0], one[1]))
    half = ROWS // 2
    take = lost[: max(half, ROWS - len(won))] + won[: max(half, ROWS - len(lost))]
    return tuple(_example(examples, baseline, candidate, index, change) for change, index in take)


def _example(
    examples: TaskExamples, baseline: ModelAnswers, candidate: ModelAnswers, index: int, change: float
) -> Example:
    texts = tuple(
        (name, _cut(column[index])) for name, column in examples.texts.items() if index < len(column)
    )
    if examples.relevant:
        gold = ", ".join(examples.relevant[index][:5])
    else:
        gold = _said(examples.gold[index]) if index < len(examples.gold) else ""
        gold = _with_rank(gold, examples.gold_ranks, index)
    return Example(
        id=examples.ids[index],
        texts=texts,
        gold=gold,
        baseline=_answer(examples, baseline, index),
        candidate=_answer(examples, candidate, index),
        change=change,
        change_words=_change_words(examples, change),
    )


def _change_words(examples: TaskExamples, change: float) -> str:
    if not examples.gold_ranks:
        return signed(change)
    ranks = round(abs(change) * (len(examples.ids) + examples.left_out) * 2) / 2
    return f"{ranks:,g} {verb(ranks, 'rank', 'ranks')} {'nearer' if change > 0 else 'farther'}"


def _with_rank(words: str, ranks: Sequence[float | None], index: int) -> str:
    """Return an answer with its rank among all examples, where it has one."""
    rank = ranks[index] if index < len(ranks) else None
    return words if rank is None else f"{words}, rank {rank:,g}"


def _answer(examples: TaskExamples, answers: ModelAnswers, index: int) -> str:
    if answers.documents is None:
        said = _said(answers.answers[index]) if index < len(answers.answers) else ""
        return _with_rank(said, answers.ranks, index)
    relevant = set(examples.relevant[index]) if index < len(examples.relevant) else set()
    found = answers.documents.ids[index][:3]
    return "\n".join(
        f"{place}. {'✓ ' if ident in relevant else ''}{_named(examples, ident)}"
        for place, ident in enumerate(found, 1)
    )


def _named(examples: TaskExamples, ident: str) -> str:
    text = examples.documents.get(ident)
    return f"{ident}: {_cut(text, DOCUMENT)}" if text else ident


def _said(answer: str | float | None) -> str:
    if answer is None:
        return "–"
    return number(answer, ".3f").replace("-", "−") if isinstance(answer, float) else str(answer)


def _cut(text: str, most: int = TEXT) -> str:
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
