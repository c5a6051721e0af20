"""ContractNLI as search: rank the spans of a contract for a hypothesis."""

from __future__ import annotations

import sys
from collections import defaultdict
from operator import methodcaller
from typing import TYPE_CHECKING, Any

import numpy as np

from harness import Dataset, Metric, Model, Predictions, Role, Task, mean_metric
from harness.authoring import RankedTexts, Ranking, find_tie_order, rank
from harness_clauses.classification import SAMPLE
from harness_clauses.pairs import questions
from harness_clauses.release import read_release

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness import DataSource

KEPT = 100
"""Maximum names of spans kept per question, the best first."""
MEASURES = {
    "map": methodcaller("average_precision", sys.maxsize),
    "recall@5": methodcaller("recall", 5),
}
"""Metric → the method of a judged ranking that computes it for every question; the first is the headline."""


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


class ContractNLIEvidence(Task):
    """Rank a contract's spans, not the blank ones, for each hypothesis that it entails or contradicts."""

    name = "contract-nli-evidence"
    kind = "clauses"
    tags = frozenset({"clauses", "legal"})
    metrics = (
        *(mean_metric(name, bounds=(0, 1)) for name in MEASURES),
        Metric(
            "precision@recall80",
            precision_at_recall80,
            columns=("scores", "relevant"),
            resample=_precision_at_recall80,
            bounds=(0, 1),
        ),
    )
    sample = SAMPLE

    def load(self, source: DataSource) -> Dataset:
        """Read the test split, the only one needed."""
        return questions(read_release(source.path("contract-nli/test.json")))

    def texts(self, dataset: Dataset) -> Iterable[tuple[str, Role]]:
        """Announce the hypotheses, and the spans of their contracts."""
        return [(text, Role.TEXT) for text in (*dataset["hypothesis"], *_spans(dataset)["text"])]

    def predict(self, model: Model, dataset: Dataset) -> Predictions:
        """Return each question's whole ranking (scores, relevant), and the names of its first 100 spans.

        Spans of equal score count by the mean over all their orders; they are listed by name, descending.
        """
        spans = _spans(dataset)
        embeddings = model.encode(spans["text"])
        ranking = _rank_spans(model, dataset, spans, embeddings)
        relevance = [
            dict.fromkeys(_ids(contract, names), 1.0)
            for contract, names in zip(dataset["cluster"], dataset["evidence"], strict=True)
        ]
        judged = ranking.judged(relevance)
        texts = RankedTexts(spans["id"], spans["text"], embeddings)
        columns: dict[str, Any] = {
            **{name: measure(judged) for name, measure in MEASURES.items()},
            "evidence": dataset["evidence"],
            "ranked": [
                [name.removeprefix(f"{contract}/") for name in ids[:KEPT]]
                for contract, ids in zip(dataset["cluster"], ranking.ids, strict=True)
            ],
            "scores": ranking.scores,
            "relevant": [
                (gains[:length] > 0).tolist()
                for gains, length in zip(judged.gains, judged.lengths.tolist(), strict=True)
            ],
        }
        findings = find_tie_order(model, ranking, relevance, texts, MEASURES, role=Role.TEXT)
        return Predictions(dataset, findings=tuple(findings), **columns)


def _spans(dataset: Dataset) -> Dataset:
    """Return the spans of the contracts of the questions: fewer than all under a limit."""
    contracts, spans = set(dataset["cluster"]), dataset.tables["spans"]
    return spans.take([row for row, contract in enumerate(spans["cluster"]) if contract in contracts])


def _rank_spans(model: Model, dataset: Dataset, spans: Dataset, embeddings: np.ndarray) -> Ranking:
    """Rank the spans of each question's contract, all of them; the id of a span has its contract's name."""
    rows_of: dict[str, list[int]] = defaultdict(list)
    for row, contract in enumerate(spans["cluster"]):
        rows_of[contract].append(row)
    questions_of: dict[str, list[int]] = defaultdict(list)
    for question, contract in enumerate(dataset["cluster"]):
        questions_of[contract].append(question)
    found: dict[int, tuple[list[str], list[float]]] = {}
    for contract, asked in questions_of.items():
        hypotheses = model.encode([dataset["hypothesis"][question] for question in asked])
        rows = rows_of[contract]
        best = rank(model, hypotheses, embeddings[rows], [spans["id"][row] for row in rows], len(rows))
        found.update(zip(asked, zip(best.ids, best.scores, strict=True), strict=True))
    ids, scores = zip(*(found[question] for question in range(len(dataset))), strict=True)
    return Ranking(list(ids), list(scores))


def _ids(contract: str, spans: Iterable[str]) -> list[str]:
    return [f"{contract}/{span}" for span in spans]
