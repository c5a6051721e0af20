"""OpenVINO, on Intel's processors: converted in memory, by its own converter.

OpenVINO sends telemetry on its import and on each conversion; here that is turned off.
"""

from __future__ import annotations

import sys
import threading
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.models.backends import UnsuitableBackendError
from harness.models.backends.exported import Exported
from harness.system.environment import cores
from harness.system.extras import import_extra

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import ModuleType

    import numpy as np
    import torch

_PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINO(Exported):
    """Run the transformer in OpenVINO, in float32 or bfloat16, and not in what the processor prefers."""

    name = "openvino"

    def set_dtype(self, dtype: str) -> None:
        """Compile again for bfloat16.

        Raises UnsuitableBackendError for other types, and where the processor does not compute in it.
        """
        if dtype not in _PRECISIONS:
            raise UnsuitableBackendError("it supports float32 and bfloat16")
        self._compile(dtype)

    def _convert(self, module: torch.nn.Module, example: tuple[torch.Tensor, ...]) -> None:
        with _without_telemetry():
            self._library = import_extra("openvino", "openvino", "backend openvino")
            self._graph = self._library.convert_model(module, example_input=example)
        self._compile("float32")

    def _compile(self, dtype: str) -> None:
        """Compile for one thread per batch: a stream computes one request at a time; weights are shared."""
        precision = _PRECISIONS[dtype]
        # Without a hint, OpenVINO computes in bfloat16 where the processor can.
        options = {
            "INFERENCE_PRECISION_HINT": precision,
            "INFERENCE_NUM_THREADS": cores(),
            "NUM_STREAMS": str(cores()),
        }
        try:
            self._compiled = _core(self._library).compile_model(self._graph, "CPU", options)
        except RuntimeError as error:
            if dtype == "float32":
                raise
            # The type may be disabled on a processor that has it: ONEDNN_MAX_CPU_ISA, a hypervisor.
            raise UnsuitableBackendError("this processor does not compute in it") from error
        self._own = threading.local()  # a request serves one thread at a time
        if self._compiled.get_property("INFERENCE_PRECISION_HINT").get_type_name() != precision:
            raise UnsuitableBackendError("this processor does not compute in it")

    def _transform(self, inputs: dict[str, np.ndarray], rows: int) -> Sequence[np.ndarray]:  # noqa: ARG002 - all
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        outputs = self._own.request.infer(list(inputs.values()))
        return [outputs[position] for position in range(len(outputs))]


@cache
def _core(library: ModuleType) -> Any:  # noqa: ANN401 - OpenVINO's
    """Return the only Core of this process, which lives until the process ends.

    On processors with AMX a Core gives the main thread a stack for signal handlers and, when it ends,
    restores the one that it found. Two that end in the order in which they began leave one that was freed,
    and the next signal, such as Ctrl-C, ends the process with SIGSEGV (seen with 2026.4).
    """
    return library.Core()


@contextmanager
def _without_telemetry() -> Iterator[None]:
    """Hide the package that sends telemetry: OpenVINO then works without it, until the process ends."""
    hidden = "openvino_telemetry"
    present = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == hidden}
    sys.modules[hidden] = None  # type: ignore[assignment] # how Python notes that there is no such module
    try:
        yield
    finally:
        del sys.modules[hidden]
        sys.modules |= present


open_backend = OpenVINO
