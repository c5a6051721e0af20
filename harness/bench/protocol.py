"""What a bench and its worker processes say to each other: one JSON object a line."""

from __future__ import annotations

import msgspec

from harness.models.interface import ModelFacts, ModelSpec  # noqa: TC001 - msgspec reads annotations


class Load(msgspec.Struct, tag=True, frozen=True):
    """Load a model and encode one text."""

    spec: ModelSpec
    plugins: tuple[str, ...]
    """Single-file plugins, beside those installed."""
    first_text: str
    spawned: float
    """When the process was started, on the system's monotonic clock."""


class Calibrate(msgspec.Struct, tag=True, frozen=True):
    """Encode each workload once, untimed; then say who the model is, and how it settled to use threads."""

    workloads: tuple[tuple[str, ...], ...]


class Prepare(msgspec.Struct, tag=True, frozen=True):
    """From now on, this is the workload."""

    texts: tuple[str, ...]


class Pass(msgspec.Struct, tag=True, frozen=True):
    """Time so many passes over the workload."""

    passes: int = 1


class Calls(msgspec.Struct, tag=True, frozen=True):
    """Time calls of `encode` with so many texts each: at most so many, for at most so many seconds."""

    texts_per_call: int
    most: int
    seconds: float


class MeasureCeiling(msgspec.Struct, tag=True, frozen=True):
    """Measure the matmul ceiling."""


class MeasureMemory(msgspec.Struct, tag=True, frozen=True):
    """Say how much memory was used."""


Request = Load | Calibrate | Prepare | Pass | Calls | MeasureCeiling | MeasureMemory


class Facts(msgspec.Struct, tag=True, frozen=True):
    """Who was loaded, and how it uses the machine."""

    name: str
    fingerprint: str
    facts: ModelFacts
    device: str
    devices: tuple[str, ...]
    workers: int
    per_worker: int
    how: str
    """How threads were chosen; empty for a model that does not say how it uses them."""


class LoadedModel(msgspec.Struct, tag=True, frozen=True):
    """How long a cold start took, in seconds, and the peak memory until the first encode."""

    process: float
    imports: float
    load: float
    first_encode: float
    resident: int


class Prepared(msgspec.Struct, tag=True, frozen=True):
    """What is in the workload, for this model; None where it does not say."""

    tokens: int | None
    padded_tokens: int | None
    operations: float | None
    """Floating-point operations of its matrix products."""


class Times(msgspec.Struct, tag=True, frozen=True):
    """Wall and CPU seconds of each call, and the CPU seconds that the whole order took."""

    wall: list[float]
    cpu: list[float]
    spent: float


class MeasuredCeiling(msgspec.Struct, tag=True, frozen=True):
    """The matmul ceiling, in GFLOP/s; None where it would say nothing of this model."""

    gflops: float | None


class PeakMemory(msgspec.Struct, tag=True, frozen=True):
    """Peak memory so far, in bytes."""

    resident: int
    device: int | None


class Failed(msgspec.Struct, tag=True, frozen=True):
    """Why an order could not be carried out."""

    message: str


Response = LoadedModel | Facts | Prepared | Times | MeasuredCeiling | PeakMemory | Failed
