"""Find queries whose metrics depend on the order of tied documents, and why those documents tie."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.finding import Finding, Severity
from harness.metrics.judgments import TieOrder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from harness.metrics.judgments import Group, Judged
    from harness.metrics.ranking import Ranking
    from harness.models.interface import Model, Role

    Measures = Mapping[str, Callable[[Judged], np.ndarray]]

_NARROW = 0.001
"""Minimum width of a range for a warning; a narrower one is a note."""
_MOST = 1000
"""Maximum queries of which the cause is looked for: it needs the texts and embeddings of what ties."""

_TEXT, _CUT, _EMBEDDING, _SIMILARITY = range(4)
"""Causes of a tie, the strongest first; a group of tied documents has the weakest that it needs."""
_WHY = (
    "documents have the same text",
    "texts are the same after the model cut them at {limit} tokens",
    "the model gives different texts the same embedding",
    "different embeddings have the same similarity to the query",
)
_REMEDY = (
    "merge documents of the same text, and their judgments",
    "cut documents into passages that the model reads whole, or raise --max-seq-length where it can",
    "does its tokenizer know the words in which these texts differ?",
    "a similarity of few values, such as 0 without a common word, cannot rank documents; some tie by chance",
)


@dataclass(frozen=True, slots=True)
class RankedTexts:
    """Documents of a ranking, by the same row in each."""

    ids: Sequence[str]
    texts: Sequence[str]
    embeddings: np.ndarray
    """(n, dimensions)."""


def find_tie_order(
    model: Model,
    ranking: Ranking,
    relevance: Sequence[Mapping[str, float]],
    documents: RankedTexts,
    measures: Measures,
    *,
    role: Role,
    ties: TieOrder = TieOrder.EXPECTED,
) -> Iterable[Finding]:
    """Yield a finding if a metric of a query depends on the order of tied documents.

    It says how many queries do, between which values the first metric that is moved would lie in the best
    and the worst order, and why documents tie. measures: metric → values of all queries, the headline
    first; role: that of the documents; ties: the order that the scores have.
    """
    worst, best = (ranking.judged(relevance, order) for order in (TieOrder.WORST, TieOrder.BEST))
    if not worst.groups:
        return
    ends = {name: (measure(worst), measure(best)) for name, measure in measures.items()}
    moved = {name: low < high for name, (low, high) in ends.items()}
    dependent = np.flatnonzero(np.logical_or.reduce(list(moved.values())))
    if not len(dependent):
        return
    headline, name = next(iter(measures)), next(name for name in measures if moved[name].any())
    low, high = (float(np.nanmean(values)) for values in ends[name])
    score = float(np.nanmean(measures[name](ranking.judged(relevance, ties))))
    looked_at = set(dependent[:_MOST].tolist())
    groups = [group for group in worst.groups if group.row in looked_at]
    causes = _causes(model, ranking, groups, documents, role)
    where = f"{name} would {_range(low, high, score)}"
    yield Finding(
        "tied-documents",
        Severity.WARNING if name == headline and high - low >= _NARROW else Severity.NOTE,
        f"{len(dependent)} of {len(ranking.ids)} queries depend on the order of documents with equal scores:"
        f" {where if name == headline else f'{headline} does not; {where}'}"
        f" ({'ids decide, as in trec_eval' if ties is TieOrder.TREC_EVAL else 'the mean over all orders'});"
        f" {_why(causes, model.facts.max_tokens)}"
        f"{f' (of the first {_MOST})' if len(dependent) > _MOST else ''}",
        "; ".join(_REMEDY[cause] for cause, _ in causes),
    )


def _range(low: float, high: float, score: float) -> str:
    """Return a range and a score; with more digits where ties by chance move a mean by very little."""
    digits = 4 if round(low, 4) < round(high, 4) else 7
    return f"lie between {low:.{digits}f} and {high:.{digits}f}, and is {score:.{digits}f}"


def _why(causes: Iterable[tuple[int, int]], limit: int | None) -> str:
    return "; ".join(f"for {count} because {_WHY[cause].format(limit=limit)}" for cause, count in causes)


def _causes(
    model: Model, ranking: Ranking, groups: Sequence[Group], documents: RankedTexts, role: Role
) -> list[tuple[int, int]]:
    """Return why documents tie: (cause, number of queries), the strongest cause first."""
    named = [_names(ranking, group) for group in groups]
    wanted = {name for names in named for name in names}
    rows_by_id = {name: row for row, name in enumerate(documents.ids) if name in wanted}
    cut: dict[str, bool] = {}
    weakest: dict[int, int] = {}
    for group, names in zip(groups, named, strict=True):
        rows = [rows_by_id[name] for name in names]
        cause = _SIMILARITY
        if (documents.embeddings[rows] == documents.embeddings[rows[0]]).all():
            texts = sorted({documents.texts[row] for row in rows})
            unknown = [text for text in texts if text not in cut] if len(texts) > 1 else []
            cut.update(zip(unknown, _are_cut(model, unknown, role), strict=True))
            cause = _TEXT if len(texts) == 1 else _CUT if any(cut[text] for text in texts) else _EMBEDDING
        weakest[group.row] = max(weakest.get(group.row, _TEXT), cause)
    return sorted(Counter(weakest.values()).items())


def _names(ranking: Ranking, group: Group) -> list[str]:
    """Return the ids of a group's documents: those that are listed, and the relevant ones beyond."""
    listed = ranking.ids[group.row]
    at_end = group.listed.stop == len(listed)
    further = ranking.gold_beyond[group.row] if at_end and ranking.gold_beyond is not None else []
    return [*listed[group.listed], *further]


def _are_cut(model: Model, texts: Sequence[str], role: Role) -> list[bool]:
    """Return which texts the model cuts; none where it has no limit, or counts no tokens."""
    limit = model.facts.max_tokens
    tokens = model.count_tokens(texts, role) if limit is not None and texts else None
    return [False] * len(texts) if tokens is None else (tokens > limit).tolist()
