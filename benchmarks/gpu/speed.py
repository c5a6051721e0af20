"""Speed against sentence-transformers on one device, in interleaved rounds, at three lengths of text."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.rounds import Claim, order, ratios

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

LENGTHS = (12, 50, 250)
"""Tokens of a text, the two special ones included."""
BATCHES = (32, 128, 512, 1024, 2048)
"""Batch sizes of sentence-transformers; each variant gets its best."""
ROUND_SECONDS = 0.7
"""Least seconds of a round of the slowest variant, which sets how many texts there are."""
CLAIMS = (
    Claim("ours float32", "sentence-transformers float32"),
    Claim("ours float16", "sentence-transformers float16"),
    Claim("ours bfloat16", "sentence-transformers float16"),
)


@dataclass(frozen=True, slots=True)
class Encoder:
    """A tool in one precision."""

    name: str
    encode: Callable[[list[str]], object]
    setting: str


def measure(model: Path, device: str, rounds: int) -> dict[str, Any]:
    """Return the speed of each variant at each length, ratios by round, and the device's ceilings."""
    from harness.bench.ceiling import ceiling
    from harness.system.environment import cores

    lengths: dict[str, Any] = {}
    for length in LENGTHS:
        texts = make_texts(model, length, _count(model, device, length))
        encoders = [*_ours(model, device), *_theirs(model, device, texts)]
        lengths[str(length)] = _race(encoders, texts, length, rounds)
    ceilings = {dtype: ceiling(dtype, device, cores()) for dtype in ("float32", "float16", "bfloat16")}
    return {"lengths": lengths, "gflops_of_a_matrix_product": ceilings}


def _race(encoders: list[Encoder], texts: list[str], length: int, rounds: int) -> dict[str, Any]:
    seconds: dict[str, list[float]] = {encoder.name: [] for encoder in encoders}
    for encoder in encoders:
        encoder.encode(texts)
    for turn in range(rounds):
        for encoder in order(encoders, turn):
            seconds[encoder.name].append(timed(encoder, texts))
    medians = {name: statistics.median(times) for name, times in seconds.items()}
    return {
        "texts": len(texts),
        "settings": {encoder.name: encoder.setting for encoder in encoders},
        "seconds": seconds,
        "texts_per_second": {name: len(texts) / time_ for name, time_ in medians.items()},
        "tokens_per_second": {name: len(texts) * length / time_ for name, time_ in medians.items()},
        "ratios": {
            f"{ratio.ours} / {ratio.peer}": [ratio.median, ratio.low, ratio.high]
            for ratio in ratios(CLAIMS, seconds)
        },
    }


def timed(encoder: Encoder, texts: list[str]) -> float:
    """Return the wall seconds of one encoding, with the device finished before and after."""
    from harness.bench.ceiling import synchronize

    synchronize()
    started = time.perf_counter()
    encoder.encode(texts)
    synchronize()
    return time.perf_counter() - started


def make_texts(model: Path, length: int, count: int) -> list[str]:
    """Return distinct texts of exactly so many tokens, of words that are one token each."""
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(model))
    words = sorted(
        word for word in tokenizer.get_vocab() if word.isascii() and word.isalpha() and len(word) > 2
    )
    drawn = np.random.default_rng(length).integers(len(words), size=(count, length - 2))
    texts = [" ".join(words[word] for word in row) for row in drawn]
    tokens = {len(ids) for ids in tokenizer(texts[:50])["input_ids"]}
    if tokens != {length}:
        raise RuntimeError(f"texts of {sorted(tokens)} tokens instead of {length}")
    return texts


def _count(model: Path, device: str, length: int) -> int:
    """Return a number of texts that keeps sentence-transformers in float32 busy for a round."""
    probe = _theirs(model, device, make_texts(model, length, 256))[0]
    count = 256
    while count < 500_000:
        texts = make_texts(model, length, count)
        probe.encode(texts[:256])
        if (seconds := timed(probe, texts)) >= ROUND_SECONDS:
            break
        count = int(count * min(8, max(2, ROUND_SECONDS / seconds)))
    return count


def _ours(model: Path, device: str) -> list[Encoder]:
    from harness import load_model

    encoders = []
    for dtype in ("float32", "float16", "bfloat16"):
        loaded = load_model(str(model), device=device, dtype=dtype, allow_deviation=True)
        encoders.append(Encoder(f"ours {dtype}", loaded.encode, loaded.facts.backend))
    return encoders


def _theirs(model: Path, device: str, texts: list[str]) -> list[Encoder]:
    """Return sentence-transformers in float32, and in float16 with its best attention, at its best batch."""
    encoders = [_best_batch(model, device, texts, "float32", "sdpa")]
    half = [_best_batch(model, device, texts, "float16", attention) for attention in _attentions(device)]
    encoders.append(min(half, key=lambda encoder: timed(encoder, texts[:2048])))
    return encoders


def _attentions(device: str) -> list[str]:
    """Return the attentions to try: variable-length flash attention too, where it is installed."""
    from importlib.util import find_spec

    return ["sdpa", *(["flash_attention_2"] if find_spec("flash_attn") and device != "cpu" else [])]


def _best_batch(model: Path, device: str, texts: list[str], dtype: str, attention: str) -> Encoder:
    import torch
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(
        str(model),
        device=device,
        model_kwargs={"torch_dtype": getattr(torch, dtype), "attn_implementation": attention},
    )

    def encoder(size: int) -> Encoder:
        def encode(texts: list[str]) -> object:
            return loaded.encode(texts, batch_size=size, show_progress_bar=False)

        return Encoder(f"sentence-transformers {dtype}", encode, f"{attention}, batches of {size}")

    some = texts[:4096]
    sizes = BATCHES if device != "cpu" else BATCHES[:2]
    encoder(sizes[0]).encode(some[:64])
    return min((encoder(size) for size in sizes), key=lambda one: timed(one, some))
