"""Examples of a task with the answers of several models, for looking at what changed."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedDocuments:
    """The first documents that a model found for each query."""

    ids: tuple[tuple[str, ...], ...]
    """(queries, at most 10), best first."""
    scores: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelAnswers:
    """The answers of one model to the examples of a task, in their order."""

    model: str
    """Display name."""
    answers: tuple[str | float | None, ...] = ()
    """(examples,) what it said: a similarity, a class, a margin; empty where `documents` say it."""
    quality: tuple[float | None, ...]
    """(examples,) how good that is, higher is better, by which a change is measured: `TaskExamples.quality`."""
    documents: RankedDocuments | None = None
    """Of retrieval."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskExamples:
    """Examples of one board; columns of equal length."""

    board: str
    """`ReportBoard.id`."""
    ids: tuple[str, ...]
    left_out: int
    """Number of examples that are not here: the embedded ones are those that the models differ most on."""
    metric: str
    """The headline, which quality follows."""
    quality: str
    """What it is, in words: `1 where right`, `ndcg@10 of the query`, `minus the distance of rank from gold`."""
    flips: bool
    """Whether quality is 0 or 1, so that an answer flips."""
    clusters: tuple[str, ...] = ()
    """(examples,); empty where each example is a unit of its own."""
    lengths: tuple[int, ...] = ()
    """(examples,) characters of the texts."""
    gold: tuple[str | float | None, ...] = ()
    """(examples,); empty for triplets."""
    relevant: tuple[tuple[str, ...], ...] = ()
    """(queries,) ids of relevant documents, of retrieval."""
    texts: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Column → (examples,); empty with `--no-texts`."""
    documents: dict[str, str] = field(default_factory=dict)
    """Id → text, as far as its start, of the documents named here; empty where the corpus is not at hand."""
    models: tuple[ModelAnswers, ...] = ()
