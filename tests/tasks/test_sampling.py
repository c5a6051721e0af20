"""A sample has whole clusters, drawn by content: neither order nor names of rows decide."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import Dataset
from harness.authoring import StoredTexts
from harness.tasks.sampling import sample_rows

SIZES = st.lists(st.integers(1, 6), min_size=1, max_size=12)


def clustered(sizes) -> dict[str, list]:
    """Return rows of clusters of given sizes; texts say which row it is."""
    clusters = [cluster for cluster, size in enumerate(sizes) for _ in range(size)]
    texts = [f"text {row}" for row in range(len(clusters))]
    return {"id": [str(row) for row in range(len(clusters))], "cluster": clusters, "text": texts}


def shuffled(columns, seed) -> dict[str, list]:
    """Return the rows in another order, with ids and clusters named by that order."""
    order = list(range(len(columns["id"])))
    random.Random(seed).shuffle(order)
    number = {
        cluster: position
        for position, cluster in enumerate(dict.fromkeys(columns["cluster"][row] for row in order))
    }
    return {
        "id": [f"row{position}" for position in range(len(order))],
        "cluster": [f"c{number[columns['cluster'][row]]}" for row in order],
        "text": [columns["text"][row] for row in order],
    }


def drawn(columns, limit) -> set[str]:
    return {columns["text"][row] for row in sample_rows(columns, limit)}


@given(SIZES, st.integers(1, 40))
def test_clusters_are_whole_and_at_most_the_limit_unless_one_alone_is_larger(sizes, limit):
    columns = clustered(sizes)
    rows = sample_rows(columns, limit)
    taken = Counter(columns["cluster"][row] for row in rows)
    assert rows == sorted(rows)
    assert all(count == sizes[cluster] for cluster, count in taken.items())
    assert 0 < len(rows) <= limit or len(taken) == 1


@given(SIZES, st.integers(1, 40), st.integers(0, 99))
def test_the_order_of_rows_and_the_names_of_ids_and_clusters_do_not_decide(sizes, limit, seed):
    columns = clustered(sizes)
    assert drawn(shuffled(columns, seed), limit) == drawn(columns, limit)


@given(SIZES, st.integers(1, 20), st.integers(0, 20))
def test_a_larger_sample_contains_every_smaller_one(sizes, limit, more):
    columns = clustered(sizes)
    assert drawn(columns, limit) <= drawn(columns, limit + more)


def test_a_changed_row_moves_its_own_cluster_only():
    columns = clustered([1] * 200)
    changed = {**columns, "text": ["another text", *columns["text"][1:]]}
    before, after = (set(sample_rows(each, 50)) for each in (columns, changed))
    # The changed row may come or go, and with it the last of the others.
    assert len((before ^ after) - {0}) <= 1


def test_equal_rows_are_drawn_together_where_there_are_no_clusters():
    texts = [f"text {row // 2}" for row in range(40)]
    rows = sample_rows({"id": list(range(40)), "text": texts}, 10)
    assert Counter(Counter(texts[row] for row in rows).values()) == {2: 5}


def test_rows_of_ids_alone_are_drawn_by_their_ids():
    rows = sample_rows({"id": [f"q{row}" for row in range(100)]}, 10)
    assert len(rows) == 10
    assert rows != list(range(10))


def test_every_cluster_is_drawn_equally_often():
    counts = np.zeros(10)
    for salt in range(2_000):
        columns = {"id": list(range(10)), "text": [f"{salt} {row}" for row in range(10)]}
        counts[sample_rows(columns, 3)] += 1
    # Binomial(2000, 0.3) has a standard deviation of 20.5.
    assert counts == pytest.approx(600, abs=90)


def test_a_sample_of_rows_sorted_by_their_score_has_the_spread_of_all():
    scores = sorted(float(row % 51) / 10 for row in range(1_000))
    whole = Dataset({"text": [f"sentence {row}" for row in range(1_000)], "score": scores})
    part = np.array(whole.sample(50)["score"])
    assert part.std() == pytest.approx(np.std(scores), rel=0.25)
    assert part.mean() == pytest.approx(np.mean(scores), abs=0.7)


@given(st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=20), st.integers(1, 21))
def test_texts_on_disk_give_the_sample_that_a_list_gives(texts, limit):
    columns = {"id": [*range(len(texts))], "text": texts, "body": texts[::-1]}
    on_disk = columns | {"text": StoredTexts(texts)}
    assert sample_rows(on_disk, limit) == sample_rows(columns, limit)
    assert sample_rows({"text": StoredTexts(texts)}, limit) == sample_rows({"text": texts}, limit)
