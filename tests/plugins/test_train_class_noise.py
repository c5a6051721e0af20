"""Classes and labels of which a part was exchanged: what the finding says, and what dilutes it."""

from __future__ import annotations

import numpy as np
import pytest

from harness.training.check_input import CheckInput, Rows
from harness_train.class_noise import check_class_noise
from harness_train.label_mixture import Exchanged
from harness_train.label_noise import check_label_noise, exchanged_finding


class TableModel:
    """A base whose embeddings are given, one for each text."""

    def __init__(self, embeddings: np.ndarray) -> None:
        self.embeddings = embeddings

    def encode(self, texts, role=None):
        return np.array([self.embeddings[int(text)] for text in texts])


def unit(values: np.ndarray) -> np.ndarray:
    return values / np.linalg.norm(values, axis=1, keepdims=True)


def of_rows(rows: Rows, embeddings: np.ndarray) -> CheckInput:
    model = TableModel(unit(embeddings))
    return CheckInput(path="it", what="dataset", rows=rows, base=lambda: model)


@pytest.mark.parametrize("singles", [0, 100])
def test_classes_of_one_text_hide_no_exchanged_ones(singles):
    random = np.random.default_rng(2)
    labels = np.repeat(np.arange(4), 60)
    texts = random.normal(size=(4, 32))[labels] + random.normal(size=(240, 32))
    chosen = random.permutation(240)[:72]
    labels[chosen] = labels[random.permutation(chosen)]
    names = [*map(str, labels), *(f"one {number}" for number in range(singles))]
    embeddings = np.vstack([texts, random.normal(size=(singles, 32))])
    rows = Rows(kind="labeled-texts", texts={"text": [str(n) for n in range(len(names))]}, labels=names)
    assert [one.code for one in check_class_noise(of_rows(rows, embeddings))] == ["labels-flipped"]


def test_labels_that_the_base_ranks_in_reverse_are_not_said_to_have_no_signal():
    random = np.random.default_rng(0)
    left, noise = random.normal(size=(2, 200, 48))
    labels = random.integers(2, size=200)
    right = noise - 0.15 * labels[:, None] * left
    texts = [str(number) for number in range(400)]
    rows = Rows(
        kind="labeled-pairs", texts={"text1": texts[:200], "text2": texts[200:]}, labels=labels.tolist()
    )
    said = list(check_label_noise(of_rows(rows, np.vstack([left, right]))))
    assert not any("have nothing to do" in one.evidence for one in said)


@pytest.mark.parametrize(("error", "seen_from"), [(0.001, "4%"), (0.02, "9%")])
def test_the_share_that_would_be_found_is_never_below_the_least_of_a_finding(error, seen_from):
    rows = Rows(kind="labeled-texts", texts={"text": ["a"]}, labels=["x"])
    fitted = Exchanged(0.1, error, 2.0, np.zeros(1))
    finding = exchanged_finding(fitted, rows, (1, 0, "'x'", "wrong", ""), beyond=True)
    assert f"a share from {seen_from} on is found" in finding.evidence
