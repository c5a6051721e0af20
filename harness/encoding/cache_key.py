"""What an embedding's bits depend on besides its text, and whether that is all."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import platform
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.system.code_hash.form import form_of
from harness.system.code_hash.walk import digest
from harness.system.environment import processor

if TYPE_CHECKING:
    from harness.models.interface import Model, Role

_FORMAT = 1
"""Of the files of a store."""
_LIBRARIES = (
    "torch", "transformers", "tokenizers", "sentence-transformers", "numpy", "openvino", "onnxruntime",
)  # fmt: skip
"""Those that compute embeddings."""
_KERNELS = (
    "ATEN_CPU_CAPABILITY", "DNNL_DEFAULT_FPMATH_MODE", "DNNL_MAX_CPU_ISA", "MKL_CBWR",
    "MKL_ENABLE_INSTRUCTIONS", "NVIDIA_TF32_OVERRIDE", "ONEDNN_DEFAULT_FPMATH_MODE", "ONEDNN_MAX_CPU_ISA",
    "OPENBLAS_CORETYPE",
)  # fmt: skip
"""Variables of the environment by which matrix kernels are chosen."""

_GENERATION = {"cpu family", "model", "stepping", "flags", "cache size"}
_GENERATION |= {"CPU implementer", "CPU architecture", "CPU variant", "CPU part", "Features"}


def cacheable(model: Model) -> bool:
    """Whether embeddings of a model are functions of their texts alone, bit for bit, as the model says."""
    return model.facts.reproducible


def cache_key(model: Model, role: Role) -> dict[str, Any]:
    """Everything that an embedding's bits depend on besides its text; plain data."""
    facts, settings = model.facts, model.spec.settings
    return {
        "format": _FORMAT,
        "fingerprint": model.fingerprint,
        "role": str(role),
        "dimensions": facts.dimensions,
        "backend": facts.backend,
        "dtype": settings.dtype,
        "trust_remote_code": settings.trust_remote_code,
        "device": facts.device,
        "processor": _processor(),
        "kernels": _kernels(facts.device),
        "python": platform.python_version(),
        "libraries": _versions(),
        "source": _encoding_hash(),
    }


def _kernels(device: str) -> dict[str, str]:
    """What picks kernels besides the processor."""
    import torch

    found = {name: os.environ[name] for name in _KERNELS if name in os.environ}
    found["capability"] = str(torch.backends.cpu.get_cpu_capability())
    found["torch"] = hashlib.sha256(torch.__config__.show().encode()).hexdigest()[:8]
    found["matmul"] = str(torch.get_float32_matmul_precision())
    if device == "cuda":
        found["device"] = str(torch.cuda.get_device_name())
    return found


@cache
def _processor() -> str:
    """Its name and, where the system tells, a hash of what sets apart processors of one name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().partition("\n\n")[0].splitlines()
    except OSError:
        return processor()
    told = "".join(line for line in lines if line.partition(":")[0].strip() in _GENERATION)
    return f"{processor()} {hashlib.sha256(told.encode()).hexdigest()[:8]}"


@cache
def _versions() -> dict[str, str]:
    """Versions of the libraries that compute embeddings, read from their metadata."""
    found = {}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


@cache
def _encoding_hash() -> str:
    """Hash the meaning of our modules that embeddings come from: after a change in it none is found."""
    own = Path(__file__).parents[1] / "models"
    paths = [*(own / "backends").glob("*.py"), own / "sentence_transformer.py"]
    return digest({path.name: form_of(path.read_bytes()).digest for path in paths})
