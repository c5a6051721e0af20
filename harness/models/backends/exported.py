"""Batches of fixed shapes whose transformer runs in another library, converted in memory and offline.

Only the first module is converted, which maps tokens to token embeddings. Pooling and later modules run in
torch as they are, and with them every variant of pooling, prompts that pooling leaves out, dense layers and
normalization. Each batch runs on one thread, and workers use the others: two batches side by side were faster
than one on two threads in both libraries, and bit for bit the same.
"""

from __future__ import annotations

import logging
import warnings
from abc import ABC, abstractmethod
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.models.backends import UnsuitableBackendError
from harness.models.backends.batched import Batched
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import torch

    from harness.models.backends import Batch
    from harness.models.backends.backend_model import BackendModel

_EXAMPLE = (2, 7)
"""Rows and tokens of a conversion's example; neither is 1, a size that exporters take for a constant."""
_ATTENTION = (None, "eager")
"""Attention that a conversion tries: the model's own, then one that is finite everywhere.

Where attention is local, a token of padding may have nothing to attend to: NaN, in OpenVINO, which pooling or
the next layer spreads to the text. `eager` masks with a large number in place of infinity.
"""
_MAX_TOKENS = 512
"""Maximum tokens that padding is tried with; windows of local attention are shorter."""


class Exported(Batched, ABC):
    """Run batches through a converted transformer and the model's other modules.

    A subclass converts (`_convert`) and runs (`_transform`). Raises UnsuitableBackendError for a model that
    is not on the CPU, cannot be padded, or cannot be converted.
    """

    parallel = True
    divisible = False

    def __init__(self, model: BackendModel) -> None:
        super().__init__(model)
        first, *self._others = model.sentence_transformer
        if model.sentence_transformer.device.type != "cpu":
            raise UnsuitableBackendError("it needs --device cpu")
        needs_more = any(getattr(module, "forward_kwargs", None) for module in self._others)
        if needs_more or any((model.sentence_transformer.module_kwargs or {}).values()):
            raise UnsuitableBackendError("its other modules need more than embeddings")
        self._inputs = _input_names(model)
        self._output = str(first.module_output_name)
        self._convert_and_try(first)

    def run(self, batch: Batch) -> np.ndarray:
        """Return float32 embeddings, (n, dimensions), without the rows of padding."""
        import torch

        features, _ = batch.features
        inputs = {name: features[name].numpy() for name in self._inputs}
        embeddings, *layers = map(torch.from_numpy, self._transform(inputs, len(batch.rows)))
        features = {**features, self._output: embeddings}
        if layers:
            features["all_layer_embeddings"] = layers
        with torch.inference_mode():
            for module in self._others:
                features = module(features)
            return self._model.finish(features["sentence_embedding"])[: len(batch.rows)]

    @abstractmethod
    def _convert(self, module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> None:
        """Prepare `_transform`; `example` are inputs of `module`, whose rows and tokens may vary."""

    @abstractmethod
    def _transform(self, inputs: dict[str, np.ndarray], rows: int) -> Sequence[np.ndarray]:
        """Return token embeddings (height, width, size), writable, then all layers' if the model has them.

        Only the first `rows` rows count. Called from several threads.
        """

    def _convert_and_try(self, first: torch.nn.Module) -> None:
        """Convert, and try a shape with much padding; raises UnsuitableBackendError where that fails."""
        import torch

        module = _as_tensor_module(first, self._inputs, self._output)
        example = tuple(torch.ones(_EXAMPLE, dtype=torch.long) for _ in self._inputs)
        try:
            for attention in _ATTENTION:
                if attention:
                    self._model.set_attention(attention)
                with quiet_conversion():
                    self._convert(module, example)
                if self._is_finite_with_padding():
                    self._attention = attention
                    return
        except (HarnessError, UnsuitableBackendError):
            raise
        except Exception as error:
            # Exporters raise many kinds of errors, without a common base class.
            raise UnsuitableBackendError(f"{type(error).__name__} in its conversion") from error
        finally:
            self._model.restore_attention()
        raise UnsuitableBackendError("padding makes its embeddings not finite")

    def _is_finite_with_padding(self) -> bool:
        """Check that short texts with the most padding that occurs have finite embeddings."""
        features = self._model.features(["a", ""], Role.TEXT)
        inputs = {name: features[name].numpy() for name in self._inputs}
        width = min(self._model.max_tokens or _MAX_TOKENS, _MAX_TOKENS)
        missing = max(0, width - inputs["input_ids"].shape[1])
        fill = {"input_ids": self._pad_token}
        padded = {
            name: np.pad(values, ((0, 0), (0, missing)), constant_values=fill.get(name, 0))
            for name, values in inputs.items()
        }
        return all(np.isfinite(embeddings).all() for embeddings in self._transform(padded, 2))


@contextmanager
def quiet_conversion() -> Iterator[None]:
    """Compute no gradients, and silence exporters' warnings about their own code."""
    import torch

    # Some log through the root logger, which would then keep a handler for the rest of the process.
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


def _input_names(model: BackendModel) -> tuple[str, ...]:
    """Return the names of the token matrices that the transformer takes."""
    import torch

    features = model.features(["a text", "and a longer text"], Role.TEXT)
    accepted: Any = model.sentence_transformer[0].model_forward_params
    names = [name for name, value in features.items() if torch.is_tensor(value)]
    return tuple(name for name in names if accepted is None or name in accepted)


def _as_tensor_module(first: torch.nn.Module, inputs: tuple[str, ...], output: str) -> torch.nn.Module:
    """Wrap the first module to take and return tensors: exporters do not accept dictionaries of features."""
    import torch

    class TensorModule(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = first

        def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
            features: dict[str, Any] = self.first(dict(zip(inputs, tensors, strict=True)))
            return (features[output], *features.get("all_layer_embeddings", ()))

    return TensorModule().eval()
