"""Batches of fixed shapes whose transformer runs in another library, converted in memory and offline.

Only the first module is converted, which maps tokens to token embeddings; pooling and what follows it run in
torch as they are, and with them every variant of pooling, prompts that pooling leaves out, dense layers and
normalization. Each job runs on one thread, and workers bring the others: two jobs side by side were faster
than one on two threads in both libraries, and bit for bit the same.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.models.backends import Unsuitable
from harness.models.backends.batched import Batched
from harness.models.backends.loaded import as_float32
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    import torch

    from harness.models.backends import Batch
    from harness.models.backends.loaded import BackendModel

_EXAMPLE = (2, 7)
"""Rows and tokens that a conversion is shown; neither is 1, a size that exporters take for a constant."""
_ATTENTION = (None, "eager")
"""Ways to compute attention that a conversion tries: the model's own, then one that is finite everywhere.

Where attention is local, a token of padding may have nothing to attend to: NaN, in OpenVINO, which pooling or
the next layer spreads to the text. `eager` masks with a large number in place of infinity.
"""
_MOST_TOKENS = 512
"""Tokens that padding is tried with; windows of local attention are shorter."""


class Exported(Batched, ABC):
    """Batches through a converted transformer and the model's other modules.

    A subclass converts (`_convert`) and runs (`_transform`). Raises Unsuitable for a model that is not on the
    CPU, cannot be padded, or cannot be converted.
    """

    parallel = True
    divisible = False

    def __init__(self, loaded: BackendModel) -> None:
        super().__init__(loaded)
        first, *self._others = loaded.model
        if loaded.model.device.type != "cpu":
            raise Unsuitable("it runs on a CPU: --device cpu")
        asking = any(getattr(one, "forward_kwargs", None) for one in self._others)
        if asking or any((loaded.model.module_kwargs or {}).values()):
            raise Unsuitable("its other modules want to know more than embeddings")
        self._inputs = _inputs(loaded)
        self._output = str(first.module_output_name)
        self._start(first)

    def run(self, job: Batch) -> np.ndarray:
        """Float32 embeddings, (n, full dimensions), without the rows that were filled in."""
        import torch

        features, _ = job.features
        inputs = {name: features[name].numpy() for name in self._inputs}
        found, *layers = map(torch.from_numpy, self._transform(inputs, len(job.rows)))
        features = {**features, self._output: found}
        if layers:
            features["all_layer_embeddings"] = layers
        with torch.inference_mode():
            for module in self._others:
                features = module(features)
            return as_float32(features["sentence_embedding"])[: len(job.rows)]

    @abstractmethod
    def _convert(self, body: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> None:
        """Make ready for `_transform`; `example` are inputs of `body`, whose rows and tokens may vary."""

    @abstractmethod
    def _transform(self, inputs: dict[str, np.ndarray], rows: int) -> Sequence[np.ndarray]:
        """Token embeddings (height, width, size), writable, then all layers' where the model gives them.

        Only the first `rows` rows count. Called from several threads.
        """

    def _start(self, first: torch.nn.Module) -> None:
        """Convert, and try a shape with much padding; raises Unsuitable where the library cannot."""
        import torch

        body = _body(first, self._inputs, self._output)
        example = tuple(torch.ones(_EXAMPLE, dtype=torch.long) for _ in self._inputs)
        try:
            for attention in _ATTENTION:
                if attention:
                    self._loaded.attend(attention)
                with converting():
                    self._convert(body, example)
                if self._bears_padding():
                    self._attention = attention
                    return
        except Unsuitable:
            raise
        except Exception as error:
            # Exporters fail in ways of their own, and the other library's errors derive from nothing common.
            raise Unsuitable(f"{type(error).__name__} in its conversion") from error
        finally:
            self._loaded.restore_attention()
        raise Unsuitable("padding makes its embeddings not finite")

    def _bears_padding(self) -> bool:
        """Whether all is finite with short texts before as much padding as there ever is."""
        features = self._loaded.features(["a", ""], Role.TEXT)
        given = {name: features[name].numpy() for name in self._inputs}
        width = min(self._loaded.max_tokens or _MOST_TOKENS, _MOST_TOKENS)
        missing = max(0, width - given["input_ids"].shape[1])
        fill = {"input_ids": self._pad_token}
        padded = {
            name: np.pad(values, ((0, 0), (0, missing)), constant_values=fill.get(name, 0))
            for name, values in given.items()
        }
        return all(np.isfinite(found).all() for found in self._transform(padded, 2))


def from_extra(extra: str, *modules: str) -> tuple[ModuleType, ...]:
    """Import what an extra installs; raises Unsuitable with the command that does where it is missing."""
    try:
        return tuple(importlib.import_module(module) for module in modules)
    except ImportError as error:
        raise Unsuitable(f"needs the extra `{extra}`: pip install 'embedding-harness[{extra}]'") from error


@contextmanager
def converting() -> Iterator[None]:
    """Compute no gradients, and keep quiet: what exporters warn of is theirs to change."""
    import torch

    # Some log through the root logger, which would give it a handler for the rest of the process.
    silent, before = logging.NullHandler(), logging.root.manager.disable
    logging.root.addHandler(silent)
    logging.disable(logging.WARNING)
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
        logging.root.removeHandler(silent)


def _inputs(loaded: BackendModel) -> tuple[str, ...]:
    """Names of the token matrices that the transformer takes."""
    import torch

    features = loaded.features(["a text", "and a longer text"], Role.TEXT)
    taken: Any = loaded.model[0].model_forward_params
    given = [name for name, value in features.items() if torch.is_tensor(value)]
    return tuple(name for name in given if taken is None or name in taken)


def _body(first: torch.nn.Module, inputs: tuple[str, ...], output: str) -> torch.nn.Module:
    """The first module, with tensors in and tensors out: exporters know no dictionaries of features."""
    import torch

    class Body(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = first

        def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            features: dict[str, Any] = self.first(dict(zip(inputs, tensors, strict=True)))
            return (features[output], *features.get("all_layer_embeddings", ()))

    return Body().eval()
