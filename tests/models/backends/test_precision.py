"""Lower precision: measured, recorded, refused beyond the tolerance."""

from __future__ import annotations

import numpy as np
import pytest

from harness import HarnessError, load_model
from harness.models.backends import precision
from harness.models.backends.precision import deviation

pytestmark = pytest.mark.kernels


def test_equal_embeddings_do_not_deviate():
    rows = np.random.default_rng(0).normal(size=(30, 8)).astype(np.float32)
    measured = deviation(rows, rows * 3)
    assert (measured.texts, measured.largest, measured.p99, measured.neighbors) == (
        30,
        pytest.approx(0, abs=1e-9),
        pytest.approx(0, abs=1e-9),
        1.0,
    )


def test_one_turned_embedding_is_the_largest_and_not_the_percentile():
    rows = np.eye(400, 2, dtype=np.float32) + np.array([1.0, 0.0])
    turned = rows.copy()
    turned[7] = [-rows[7][1], rows[7][0]]
    measured = deviation(rows, turned)
    assert measured.largest == 1.0
    assert measured.p99 == pytest.approx(0, abs=1e-9)


def test_the_share_of_kept_neighbors_is_counted():
    rng = np.random.default_rng(3)
    before, after = rng.normal(size=(40, 5)), rng.normal(size=(40, 5))
    measured = deviation(before, after)

    def nearest(rows, text):
        unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        order = sorted(
            (other for other in range(40) if other != text), key=lambda other: -unit[other] @ unit[text]
        )
        return set(order[:10])

    kept = np.mean([len(nearest(before, text) & nearest(after, text)) / 10 for text in range(40)])
    assert measured.neighbors == pytest.approx(kept, abs=6e-4)


def test_embeddings_that_are_not_finite_deviate_by_the_maximum():
    rows = np.ones((20, 4), dtype=np.float32)
    assert deviation(rows, rows * np.nan).largest == 2.0


def test_float32_has_no_deviation(tiny):
    assert load_model(str(tiny)).facts.deviation is None


@pytest.mark.parametrize("backend", ["packed", "batched", "plain"])
def test_a_lower_precision_is_recorded_with_its_price(tiny, backend):
    model = load_model(str(tiny), dtype="bfloat16", backend=backend)
    assert model.facts.backend == backend
    assert 0 < model.facts.deviation.largest <= precision.TOLERANCE
    assert model.encode(["a text"]).dtype == np.float32


@pytest.mark.slow
def test_a_precision_that_moves_too_far_is_an_error_unless_allowed(tiny, monkeypatch):
    monkeypatch.setattr(precision, "TOLERANCE", 1e-9)
    with pytest.raises(
        HarnessError, match=r"bfloat16 moves embeddings by up to 1 − cos = .*: more than 1e-09"
    ) as error:
        load_model(str(tiny), dtype="bfloat16")
    assert "--allow-deviation" in str(error.value)
    allowed = load_model(str(tiny), dtype="bfloat16", allow_deviation=True)
    assert allowed.facts.deviation.largest > 1e-9


def test_a_precision_that_torch_does_not_have_is_an_error(tiny):
    with pytest.raises(
        HarnessError, match="--dtype int8 is not possible with backend packed: torch does not"
    ):
        load_model(str(tiny), dtype="int8")


@pytest.mark.slow
def test_the_real_model_in_bfloat16_is_within_the_tolerance(minilm):
    measured = load_model("minilm", dtype="bfloat16").facts.deviation
    assert 1e-6 < measured.largest < 5e-4
    assert measured.neighbors > 0.9
