from __future__ import annotations

import numpy as np
import pytest

from harness import load_model
from harness.bench.ceiling import Arithmetic, arithmetic, ceiling


def test_operations_grow_with_tokens_and_with_the_square_of_lengths():
    found = Arithmetic(per_token=10.0, per_token_and_length=2.0).of(np.array([3, 5]))
    assert found == 10 * 8 + 2 * (9 + 25)


def test_the_arithmetic_of_a_tiny_transformer_is_its_matrices(tiny):
    # Two layers of hidden size 32 and inner size 64: 4·32² for attention, 2·32·64 for the rest.
    found = arithmetic(load_model(str(tiny)))
    assert found.per_token == 2 * 2 * (4 * 32 * 32 + 2 * 32 * 64)
    assert found.per_token_and_length == 4 * 2 * 32


@pytest.mark.slow
def test_the_arithmetic_of_the_base_model_is_the_known_one(minilm):
    found = arithmetic(minilm)
    assert found.per_token == pytest.approx(21.2e6, rel=0.005)
    assert found.per_token_and_length == 9216


def test_the_arithmetic_of_other_models_is_none(letters):
    assert arithmetic(letters) is None
    assert arithmetic(load_model("lexical")) is None


def test_the_ceiling_is_a_plausible_speed_of_a_matrix_product():
    import torch

    threads = torch.get_num_threads()
    found = ceiling("float32", "cpu", 1)
    assert 0.5 < found < 1e5
    assert torch.get_num_threads() == threads


@pytest.mark.gpu
def test_a_device_is_faster_than_a_core_and_slower_than_light():
    assert 1000 < ceiling("float32", "cuda", 1) < 1e7
