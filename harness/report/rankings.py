"""Columns of predictions that are rankings: of a corpus, or of a contract's spans."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.report.numbers import has_lists

if TYPE_CHECKING:
    import numpy as np

    from harness.results.predictions import Table


@dataclass(frozen=True, slots=True)
class RankingColumns:
    """Names of the columns of a ranking."""

    ids: str
    scores: str
    relevant: str
    """Of the ids of judged documents."""
    gains: str | None = None
    """Of the relevance of each judged document; None where all are relevant."""
    within_cluster: bool = False
    """Whether ids are unique only within a cluster."""


_FORMS = (
    RankingColumns("ranked_ids", "ranked_scores", "gold_ids", "gold_scores"),
    RankingColumns("ranked", "scores", "evidence", within_cluster=True),
)


def ranking_columns(table: Table) -> RankingColumns | None:
    """Return the columns of the ranking that predictions have; None where they have none."""
    for form in _FORMS:
        columns = [table.get(name) for name in (form.ids, form.scores, form.relevant)]
        if all(column is not None and has_lists(column) for column in columns):
            return form
    return None


def relevant_ids(table: Table, form: RankingColumns) -> list[list[str]]:
    """Return the ids of the relevant documents of each query, as its ranking has them."""
    gains = table.get(form.gains or "")
    if gains is None:
        return [[str(name) for name in names] for names in table[form.relevant]]
    return [
        [str(name) for name, gain in zip(names, own, strict=True) if gain > 0]
        for names, own in zip(table[form.relevant], gains, strict=True)
    ]


def full_ids(table: Table, form: RankingColumns, row: int, names: np.ndarray | list[str]) -> list[str]:
    """Return ids that are unique in the task, as the table of documents has them."""
    if not form.within_cluster or "cluster" not in table:
        return [str(name) for name in names]
    return [f"{table['cluster'][row]}/{name}" for name in names]


def first_relevant(table: Table, form: RankingColumns) -> list[int | None]:
    """Return the rank, from 1, of the first relevant document of each query; None where none is listed.

    Queries without a relevant document are left out.
    """
    ranks: list[int | None] = []
    for names, wanted in zip(table[form.ids], relevant_ids(table, form), strict=True):
        if wanted:
            listed, sought = [str(name) for name in names], set(wanted)
            ranks.append(next((rank for rank, name in enumerate(listed, 1) if name in sought), None))
    return ranks
