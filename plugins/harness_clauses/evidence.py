"""ContractNLI as search: rank the spans of a contract for a hypothesis."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import Dataset, Metric, Model, Predictions, Role, Task, mean_metric
from harness.authoring import rank
from harness_clauses.classification import SAMPLE
from harness_clauses.pairs import questions
from harness_clauses.release import read_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness import DataSource

KEPT = 100
"""Maximum names of spans kept per question, the best first."""


def precision_at_recall80(scores: Sequence[np.ndarray], relevant: Sequence[np.ndarray]) -> float:
    """Precision of all spans of all questions at the highest threshold where recall reaches 0.80, in [0, 1].

    scores, relevant: per question, the similarity of every span, and whether it is evidence. Spans of
    all questions are pooled under one threshold; spans of equal score are above it or below it together.
    NaN where undefined: no evidence in any question.
    Source: Koreeda and Manning (2021) report it as P@R80; that all hypotheses are pooled is ours.
    """
    return float(_precision_at_recall80(scores, relevant, np.ones((1, len(scores))))[0])


def _precision_at_recall80(
    scores: Sequence[np.ndarray], relevant: Sequence[np.ndarray], counts: np.ndarray
) -> np.ndarray:
    """Compute it for many resamples at once, (B,); the threshold is always the score of an evidence span."""
    question = np.repeat(np.arange(len(scores)), [len(row) for row in scores])
    # With an empty row: there may be no questions.
    pooled = np.concatenate([np.zeros(0), *scores])
    gold = np.concatenate([np.zeros(0), *relevant])
    order = np.argsort(-pooled, kind="stable")
    question, pooled = question[order], pooled[order]
    hits = np.flatnonzero(gold[order])
    if not len(hits):
        return np.full(len(counts), np.nan)
    recalled = np.cumsum(counts[:, question[hits]], axis=1)
    total = recalled[:, -1:]
    # 0.80 in whole numbers: recalled / total >= 4 / 5.
    reached = np.argmax(5 * recalled >= 4 * total, axis=1)
    # The first row below the threshold: after the last of the scores that equal the one reached.
    ends = np.searchsorted(-pooled, -pooled[hits[reached]], side="right")
    right = recalled[np.arange(len(counts)), np.searchsorted(hits, ends) - 1]
    drawn = _count_drawn_above(question, ends, counts)
    return np.where(total[:, 0] > 0, right / np.maximum(drawn, 1), np.nan)


def _count_drawn_above(question: np.ndarray, ends: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Count, for each resample, the spans drawn among the first `ends` of its row: (B,).

    Resamples are visited by ascending end, so that the spans of each question are counted only once.
    """
    drawn, seen, done = np.empty(len(counts)), np.zeros(counts.shape[1]), 0
    for row in np.argsort(ends, kind="stable"):
        seen += np.bincount(question[done : ends[row]], minlength=len(seen))
        done = ends[row]
        drawn[row] = counts[row] @ seen
    return drawn


@dataclass(frozen=True, slots=True)
class _Answer:
    """A model's answer to one question."""

    map: float
    recall: float
    ranked: list[str]
    scores: list[float]
    relevant: list[bool]


class ContractNLIEvidence(Task):
    """Rank a contract's spans, not the blank ones, for each hypothesis that it entails or contradicts."""

    name = "contract-nli-evidence"
    kind = "clauses"
    tags = frozenset({"clauses", "legal"})
    metrics = (
        mean_metric("map"),
        mean_metric("recall@5"),
        Metric(
            "precision@recall80",
            precision_at_recall80,
            columns=("scores", "relevant"),
            resample=_precision_at_recall80,
        ),
    )
    sample = SAMPLE

    def load(self, source: DataSource) -> Dataset:
        """Read the test split, the only one needed."""
        return questions(read_release(source.path("contract-nli/test.json")))

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce the hypotheses, and the spans of their contracts."""
        spans = (text for contract in _spans(dataset).values() for text in contract.values())
        return [(text, Role.TEXT) for text in (*dataset["hypothesis"], *spans)]

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Return each question's whole ranking (scores, relevant), and the names of its first 100 spans."""
        spans = _spans(dataset)
        answers: dict[int, _Answer] = {}
        rows_by_contract: dict[str, list[int]] = defaultdict(list)
        for row, contract in enumerate(dataset["cluster"]):
            rows_by_contract[contract].append(row)
        for contract, rows in rows_by_contract.items():
            evidence = [dataset["evidence"][row] for row in rows]
            hypotheses = [dataset["hypothesis"][row] for row in rows]
            answers.update(zip(rows, _search(model, hypotheses, spans[contract], evidence), strict=True))
        ordered = [answers[row] for row in range(len(dataset))]
        columns: dict[str, Any] = {
            "map": [answer.map for answer in ordered],
            "recall@5": [answer.recall for answer in ordered],
            "evidence": dataset["evidence"],
            "ranked": [answer.ranked for answer in ordered],
            "scores": [answer.scores for answer in ordered],
            "relevant": [answer.relevant for answer in ordered],
        }
        return Predictions(dataset, **columns)


def _spans(dataset: Dataset) -> dict[str, dict[str, str]]:
    """Return contract → name of a span → its text, for the contracts of the questions."""
    contracts = set(dataset["cluster"])
    spans: dict[str, dict[str, str]] = defaultdict(dict)
    table = dataset.tables["spans"]
    for contract, name, text in zip(table["cluster"], table["span"], table["text"], strict=True):
        if contract in contracts:
            spans[contract][name] = text
    return spans


def _search(
    model: Model, hypotheses: list[str], spans: dict[str, str], evidence: list[list[str]]
) -> Iterable[_Answer]:
    """Rank one contract's spans for some hypotheses; equal scores by name, descending, as `rank` does."""
    depth = len(spans)
    embeddings = model.encode(list(spans.values()))
    ranking = rank(model, model.encode(hypotheses), embeddings, list(spans), depth)
    judged = ranking.judged([dict.fromkeys(names, 1.0) for names in evidence])
    precision, recall = judged.average_precision(depth), judged.recall(5)
    for row, (names, scores) in enumerate(zip(ranking.ids, ranking.scores, strict=True)):
        relevant = (judged.gains[row] > 0).tolist()
        yield _Answer(float(precision[row]), float(recall[row]), names[:KEPT], scores, relevant)
