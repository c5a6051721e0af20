"""Measure the machine's fastest matrix product, and count a model's floating-point operations."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import torch

_SIDE = {"cpu": 2048, "cuda": 8192}
"""Rows and columns of the matrices: large enough that memory is not the bottleneck."""
_TRIAL_SIDE = 512
_SECONDS = 0.6


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """Floating-point operations of the matrix products in a forward pass."""

    per_token: float
    """2 × the parameters in matrices that every token passes, without embedding tables and pooler."""
    per_token_and_length: float
    """4 × layers × hidden size, for attention between all pairs of tokens."""

    def of(self, lengths: np.ndarray) -> float:
        """Return the operations for texts with these numbers of real tokens, (n,); padding does not count."""
        lengths = lengths.astype(float)
        return float(self.per_token * lengths.sum() + self.per_token_and_length * (lengths**2).sum())


def arithmetic(model: object) -> Arithmetic | None:
    """Derive a model's arithmetic from its torch modules; None for anything but a plain transformer.

    all-MiniLM-L6-v2 has 21.2 MFLOP per token and 9,216 × length. Also None if a parameter is used more
    than once or not by every token (shared layers, experts), since counting parameters would mislead.
    """
    facts = getattr(model, "facts", None)
    module = None if getattr(facts, "backend", "") in ("openvino", "onnx") else _module(model)
    if module is None:
        return None
    configs = (getattr(part, "config", None) for part in module.modules())
    config = next((each for each in configs if _layers(each) is not None), None)
    if config is None or _unusual(config):
        return None
    hidden, layers = int(config.hidden_size), _layers(config) or 0
    matrices = sum(parameter.numel() for parameter in _matrices(module))
    return Arithmetic(2.0 * matrices, 4.0 * layers * hidden)


def ceiling(dtype: str, device: str, threads: int) -> float:
    """Measure the fastest square matrix product, in 10⁹ floating-point operations per second.

    device: a torch device; threads: number of threads on a processor.
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
    """Return the best of several products, at least two timed ones, in GFLOP/s."""
    import torch

    left, right = (torch.rand(side, side, device=device).to(getattr(torch, dtype)) for _ in range(2))
    best, tries, end = 0.0, 0, time.perf_counter() + seconds
    while tries < 3 or time.perf_counter() < end:
        synchronize()
        started = time.perf_counter()
        torch.mm(left, right)
        synchronize()
        # The first try includes one-time setup.
        best = max(best, 2 * side**3 / (time.perf_counter() - started) / 1e9) if tries else best
        tries += 1
    return best


def synchronize() -> None:
    """Wait until CUDA devices have finished; does nothing without torch or CUDA."""
    import sys

    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_available() and torch.cuda.is_initialized():
        torch.cuda.synchronize()


def _module(model: object) -> torch.nn.Module | None:
    """Return the torch module in a model's attributes, or in theirs; None if there is none."""
    import sys

    torch = sys.modules.get("torch")
    if torch is None:
        return None
    direct = _attributes(model)
    nested = [value for attribute in direct for value in _attributes(attribute)]
    return next((value for value in [*direct, *nested] if isinstance(value, torch.nn.Module)), None)


def _attributes(value: object) -> list[object]:
    return list(vars(value).values()) if hasattr(value, "__dict__") else []


def _matrices(module: torch.nn.Module) -> Iterator[torch.nn.Parameter]:
    import torch

    for name, part in module.named_modules():
        if isinstance(part, torch.nn.Embedding | torch.nn.EmbeddingBag) or "pooler" in name.split("."):
            continue
        yield from (parameter for parameter in part.parameters(recurse=False) if parameter.ndim >= 2)


def _layers(config: Any) -> int | None:  # noqa: ANN401 - a configuration of any library
    layers, hidden = getattr(config, "num_hidden_layers", None), getattr(config, "hidden_size", None)
    return int(layers) if isinstance(layers, int) and isinstance(hidden, int) else None


def _unusual(config: Any) -> bool:  # noqa: ANN401 - as above
    experts = max(int(getattr(config, name, 0) or 0) for name in ("num_experts", "num_local_experts"))
    return experts > 1 or getattr(config, "model_type", "") == "albert"
