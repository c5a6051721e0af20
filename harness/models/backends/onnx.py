"""ONNX Runtime on a CPU: exported by torch, through a temporary folder.

ONNX Runtime sends telemetry, from its import on; here that is turned off.

int8 quantizes weights per channel in advance, and activations as they come, with one scale for all that is
computed together. So texts are computed one at a time there; else an embedding would depend on its batch
(all-MiniLM-L6-v2: by up to 0.03 in a coordinate).
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.models.backends import LIBRARIES, UnsuitableBackendError
from harness.models.backends.exported import Exported, quiet_conversion
from harness.system.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Sequence

    import torch


class ONNX(Exported):
    """Run the transformer in ONNX Runtime, in float32 or int8."""

    name = "onnx"

    def set_dtype(self, dtype: str) -> None:
        """Quantize the weights to int8; raises UnsuitableBackendError for other types."""
        if dtype != "int8":
            raise UnsuitableBackendError("it supports float32 and int8")
        with quiet_conversion(), tempfile.TemporaryDirectory() as folder:
            exact, rounded = Path(folder, "exact.onnx"), Path(folder, "rounded.onnx")
            if self._attention:
                self._model.set_attention(self._attention)
            self._save(exact)
            self._model.restore_attention()
            library = import_extra("onnxruntime.quantization", "onnx", "backend onnx")
            library.quantize_dynamic(
                exact,
                rounded,
                op_types_to_quantize=["MatMul"],
                per_channel=True,
                weight_type=library.QuantType.QInt8,
                use_external_data_format=True,
            )
            self._open(rounded)
        self._one_by_one = True

    def _convert(self, module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        self._library, *_ = (import_extra(module, "onnx", "backend onnx") for module in LIBRARIES["onnx"])
        self._library.disable_telemetry_events()  # where something else imported it before
        self._module, self._example = module, example
        self._one_by_one = False
        with tempfile.TemporaryDirectory() as folder:
            self._save(Path(folder, "exact.onnx"))
            self._open(Path(folder, "exact.onnx"))

    def _save(self, file: Path) -> None:
        """Export to a file, which may not be larger than 2 GB; weights are written next to it."""
        import torch

        any_size = dict.fromkeys((0, 1), torch.export.Dim.DYNAMIC)
        program = torch.onnx.export(
            self._module,
            self._example,
            dynamo=True,
            input_names=list(self._inputs),
            dynamic_shapes=(tuple(any_size for _ in self._inputs),),
            verbose=False,
        )
        if program is None:
            raise UnsuitableBackendError("torch exports nothing")
        program.save(file, external_data=True)

    def _open(self, file: Path) -> None:
        """Load a file into memory, for one thread per batch."""
        options = self._library.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3  # errors
        self._session = self._library.InferenceSession(
            file, options, providers=["CPUExecutionProvider"], enable_fallback=False
        )
        self._graph_inputs = {node.name for node in self._session.get_inputs()}

    def _transform(self, inputs: dict[str, np.ndarray], rows: int) -> Sequence[np.ndarray]:
        inputs = {name: values for name, values in inputs.items() if name in self._graph_inputs}
        if not self._one_by_one:
            embeddings: Sequence[np.ndarray] = self._session.run(None, inputs)
            return embeddings
        texts = [
            self._session.run(None, {name: v[[row]] for name, v in inputs.items()}) for row in range(rows)
        ]
        height = len(next(iter(inputs.values())))
        return [_pad_rows(np.concatenate(parts), height) for parts in zip(*texts, strict=True)]


def _pad_rows(embeddings: np.ndarray, height: int) -> np.ndarray:
    """Append rows of zeros, so that later modules get fixed shapes here too."""
    missing = np.zeros((height - len(embeddings), *embeddings.shape[1:]), embeddings.dtype)
    return np.concatenate([embeddings, missing])


open_backend = ONNX
