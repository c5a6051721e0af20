"""Embedding collapse is detected, and a sound space is not reported."""

from __future__ import annotations

import numpy as np
import pytest
from conftest import LetterModel
from hypothesis import given
from hypothesis import strategies as st

from harness.finding import Severity
from harness.training.check_input import CheckInput, Rows
from harness_train.collapse import check_embeddings, spread, unrelated


class Moved(LetterModel):
    """Letter counts, unit length, moved towards one direction or cut to a few."""

    def __init__(self, towards=0.0, dimensions=26):
        super().__init__()
        self.towards, self.kept = towards, dimensions

    def encode(self, texts, role=None):
        rows = self._unit(super().encode(texts)) - 1 / np.sqrt(26)
        rows[:, self.kept :] = 0
        moved = rows + self.towards
        return moved.astype(np.float32)


def judged(model, base=None, **changes):
    given = CheckInput(
        path="it", what="candidate", trained=True, model=lambda: model,
        base=None if base is None else lambda: base, **changes,
    )  # fmt: skip
    return list(check_embeddings(given))


def test_the_mean_cosine_and_the_effective_rank_are_those_of_their_definitions():
    rows = np.random.default_rng(0).normal(size=(40, 7)).astype(np.float32)
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = [unit[a] @ unit[b] for a in range(40) for b in range(40) if a != b]
    values = np.sqrt(np.maximum(np.linalg.eigvalsh(np.cov(rows.T.astype(float), bias=True)), 0))
    shares = values / values.sum()
    known = spread(rows)
    assert known.cosine == pytest.approx(np.mean(cosines), abs=1e-6)
    assert known.rank == pytest.approx(np.exp(-(shares * np.log(shares)).sum()), abs=1e-4)
    assert known.most == 7


@given(st.integers(2, 30), st.integers(1, 8), st.floats(0.1, 10))
def test_equal_embeddings_have_rank_one_and_cosine_one_and_no_rank_is_beyond_the_most(n, d, size):
    same = spread(np.full((n, d), size, dtype=np.float32))
    assert (same.cosine, same.rank) == (pytest.approx(1, abs=1e-5), pytest.approx(1))
    other = spread(np.random.default_rng(n).normal(size=(n, d)))
    assert 1 <= other.rank <= other.most + 1e-9


@pytest.mark.parametrize(
    ("model", "base", "severity"),
    [
        pytest.param(Moved(), Moved(), None, id="unchanged"),
        pytest.param(Moved(2.0), Moved(), Severity.ERROR, id="a narrow cone"),
        pytest.param(Moved(0.3), Moved(0.05), Severity.WARNING, id="on the way to one"),
        pytest.param(Moved(2.0), Moved(2.0), Severity.WARNING, id="as narrow as its base"),
        pytest.param(Moved(dimensions=4), Moved(), Severity.ERROR, id="a few directions"),
        pytest.param(Moved(dimensions=9), Moved(), Severity.WARNING, id="fewer directions"),
        pytest.param(Moved(2.0), None, Severity.ERROR, id="a cone, and no base to compare with"),
        pytest.param(Moved(dimensions=2), None, Severity.ERROR, id="a plane, and no base to compare with"),
        pytest.param(Moved(), None, None, id="well spread, and no base"),
    ],
)
def test_a_collapse_is_compared_with_the_base(model, base, severity):
    assert [one.severity for one in judged(model, base)] == ([severity] if severity else [])


def test_the_figures_of_the_model_and_of_its_base_are_shown():
    (finding,) = judged(Moved(2.0), Moved())
    own, base = (spread(model.encode(unrelated())) for model in (Moved(2.0), Moved()))
    assert f"a mean cosine of {own.cosine:.2f}, and the embeddings an effective rank of {own.rank:.0f}" in (
        finding.evidence
    )
    assert f"its base has {base.cosine:.2f} and {base.rank:.0f}" in finding.evidence


class OfTraining(LetterModel):
    """Letter counts, but one vector for all texts of the training."""

    def encode(self, texts, role=None):
        rows = super().encode(texts)
        rows[[text.startswith("record") for text in texts]] = 1
        return rows


def test_a_collapse_of_the_training_texts_alone_is_seen_where_there_are_enough():
    def rows(n):
        return Rows(
            kind="pairs", texts={"text1": [f"record {k} of many" for k in range(n)], "text2": [None] * n}
        )

    (finding,) = judged(OfTraining(), LetterModel(), rows=rows(50))
    assert "Of 50 training texts" in finding.evidence
    assert judged(OfTraining(), LetterModel(), rows=rows(10)) == []


def test_the_sentences_are_distinct_and_the_base_model_spreads_them(minilm):
    texts = unrelated()
    assert len(set(texts)) == len(texts) >= 32
    known = spread(minilm.encode(texts))
    assert known.cosine < 0.1
    assert known.rank > 0.8 * known.most
    assert judged(minilm, minilm) == []


def test_a_base_model_pulled_towards_its_mean_has_collapsed(minilm):
    class Pulled:
        def encode(self, texts):
            rows = minilm.encode(texts)
            return 0.1 * rows + 0.9 * rows.mean(axis=0) / np.linalg.norm(rows.mean(axis=0))

    (finding,) = judged(Pulled(), minilm)
    assert finding.severity is Severity.ERROR


def test_training_texts_that_the_model_cuts_are_not_said_to_have_collapsed():
    class ShortSighted(LetterModel):
        def encode(self, texts, role=None):
            return super().encode([text[:64] for text in texts])

    def rows(texts):
        return Rows(kind="pairs", texts={"text1": texts, "text2": [None] * len(texts)})

    preamble = "This licence agreement is made between the parties named below. "
    assert judged(ShortSighted(), ShortSighted(), rows=rows([f"{preamble}{n}" for n in range(40)])) == []
    (finding,) = judged(OfTraining(), LetterModel(), rows=rows([f"record {n}" for n in range(40)]))
    assert finding.code == "embedding-collapse"
