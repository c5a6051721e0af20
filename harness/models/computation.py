"""What the bits of an embedding depend on besides the model, its settings and the text: code and machine."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from functools import cache
from pathlib import Path
from typing import Any

from harness.system.code_hash.form import form_of
from harness.system.code_hash.walk import digest
from harness.system.environment import processor

_LIBRARIES = (
    "torch", "transformers", "tokenizers", "sentence-transformers", "numpy", "openvino", "onnxruntime",
    "peft",
)  # fmt: skip
"""Libraries that compute embeddings."""
_KERNELS = (
    "ATEN_CPU_CAPABILITY", "DNNL_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS", "NVIDIA_TF32_OVERRIDE", "ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)  # fmt: skip
"""Environment variables that choose matrix kernels."""

_GENERATION = {"cpu family", "model", "stepping", "flags", "cache size"}
_GENERATION |= {"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"}
"""Fields of `/proc/cpuinfo` (x86, Arm) that distinguish processors of one name."""


def computation(device: str) -> dict[str, Any]:
    """Return the device (`cpu`, `cuda`), processor, kernels, libraries and our own code, as plain data."""
    return {
        "device": device,
        "processor": _processor(),
        "kernels": _kernels(device),
        "python": platform.python_version(),
        "libraries": _versions(),
        "source": _encoding_hash(),
    }


def _kernels(device: str) -> dict[str, str]:
    """Return what chooses kernels, besides the processor."""
    import torch

    kernels = {name: os.environ[name] for name in _KERNELS if name in os.environ}
    kernels["capability"] = str(torch.backends.cpu.get_cpu_capability())
    kernels["torch"] = hashlib.sha256(torch.__config__.show().encode()).hexdigest()[:8]
    kernels["matmul"] = str(torch.get_float32_matmul_precision())
    if device == "cuda":
        kernels["device"] = str(torch.cuda.get_device_name())
    return kernels


@cache
def _processor() -> str:
    """Return the processor's name and, on Linux, a hash of what distinguishes processors of one name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return processor()
    details = "".join(line for line in lines if line.partition(":")[0].strip() in _GENERATION)
    return f"{processor()} {hashlib.sha256(details.encode()).hexdigest()[:8]}"


@cache
def _versions() -> dict[str, str]:
    """Return library → version from their metadata, for libraries that compute embeddings."""
    versions = {}
    for name in _LIBRARIES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


@cache
def _encoding_hash() -> str:
    """Return the hash of the code that computes embeddings: after a change of it nothing cached is found."""
    own = Path(__file__).parent
    loading = [own / f"{name}.py" for name in ("loading", "modules", "sentence_transformer")]
    paths = [*(own / "backends").glob("*.py"), *loading]
    return digest({path.name: form_of(path.read_bytes()).digest for path in paths})
