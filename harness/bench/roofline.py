"""The machine's measured matmul ceiling, and how much arithmetic a model does for a token."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch

_SIDE = {"cpu": 2048, "cuda": 8192}
"""Rows and columns of the matrices: large enough that memory is not what limits."""
_TRIAL_SIDE = 512
_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Floating-point operations of a forward pass, for the matrix products alone."""

    per_token: float
    """2 × the parameters in matrices that every token meets: no embedding tables, no pooler."""
    per_token_and_length: float
    """4 × layers × hidden size: attention compares each token of a text with each."""

    def of(self, lengths: np.ndarray) -> float:
        """Operations for texts of so many real tokens; what padding adds is not work done."""
        lengths = lengths.astype(float)
        return float(self.per_token * lengths.sum() + self.per_token_and_length * (lengths**2).sum())


def arithmetic(model: object) -> Arithmetic | None:
    """Read a model's arithmetic off its torch modules; None for what is not a plain transformer.

    all-MiniLM-L6-v2 has 21.2 MFLOP per token and 9,216 × length. None too where a parameter is used more
    than once or not by each token (shared layers, experts), since counting parameters would mislead.
    """
    facts = getattr(model, "facts", None)
    module = None if getattr(facts, "backend", "") in ("openvino", "onnx") else _module(model)
    if module is None:
        return None
    found = (getattr(part, "config", None) for part in module.modules())
    config = next((one for one in found if _layers(one) is not None), None)
    if config is None or _unusual(config):
        return None
    hidden, layers = int(config.hidden_size), _layers(config) or 0
    matrices = sum(parameter.numel() for parameter in _matrices(module))
    return Arithmetic(2.0 * matrices, 4.0 * layers * hidden)


def ceiling(dtype: str, device: str, threads: int) -> float:
    """Measure the fastest square matrix product: 10⁹ floating-point operations per second.

    device: as torch names it; threads: how many the product may use on a processor.
    Takes about a second. Source: the roofline model, Williams, Waterman and Patterson (2009).
    """
    import torch

    before = torch.get_num_threads()
    if device == "cpu":
        torch.set_num_threads(threads)
    try:
        side = _SIDE.get(device.partition(":")[0], _SIDE["cpu"])
        trial = _product(_TRIAL_SIDE, dtype, device, seconds=0.05)
        # A slow dtype (float16 on many processors) would take minutes at full size.
        if 2 * side**3 / (trial * 1e9) > _SECONDS / 2:
            return max(trial, _product(1024, dtype, device, seconds=_SECONDS / 2))
        return max(trial, _product(side, dtype, device, seconds=_SECONDS))
    finally:
        torch.set_num_threads(before)


def _product(side: int, dtype: str, device: str, *, seconds: float) -> float:
    """The best of several products, in GFLOP/s; at least two, for so many seconds."""
    import torch

    left, right = (torch.rand(side, side, device=device).to(getattr(torch, dtype)) for _ in range(2))
    best, tries, end = 0.0, 0, time.perf_counter() + seconds
    while tries < 3 or time.perf_counter() < end:
        synchronize()
        started = time.perf_counter()
        torch.mm(left, right)
        synchronize()
        # The first try pays for what is set up once.
        best = max(best, 2 * side**3 / (time.perf_counter() - started) / 1e9) if tries else best
        tries += 1
    return best


def synchronize() -> None:
    """Wait until CUDA devices have finished all they were given; nothing to do without torch or CUDA."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _module(model: object) -> torch.nn.Module | None:
    """The torch module that a model holds, itself or one object deeper, whatever the attribute is called."""
    import sys

    torch = sys.modules.get("torch")
    if torch is None:
        return None
    held = _attributes(model)
    deeper = [value for one in held for value in _attributes(one)]
    return next((value for value in [*held, *deeper] if isinstance(value, torch.nn.Module)), None)


def _attributes(thing: object) -> list[object]:
    return list(vars(thing).values()) if hasattr(thing, "__dict__") else []


def _matrices(module: torch.nn.Module) -> Iterator[torch.nn.Parameter]:
    import torch

    for name, part in module.named_modules():
        if isinstance(part, torch.nn.Embedding | torch.nn.EmbeddingBag) or "pooler" in name.split("."):
            continue
        yield from (parameter for parameter in part.parameters(recurse=False) if parameter.ndim >= 2)


def _layers(config: Any) -> int | None:  # noqa: ANN401 - a configuration of whichever library
    layers, hidden = getattr(config, "num_hidden_layers", None), getattr(config, "hidden_size", None)
    return int(layers) if isinstance(layers, int) and isinstance(hidden, int) else None


def _unusual(config: Any) -> bool:  # noqa: ANN401 - as above
    experts = max(int(getattr(config, name, 0) or 0) for name in ("num_experts", "num_local_experts"))
    return experts > 1 or getattr(config, "model_type", "") == "albert"
