"""Protocol between a bench and its worker processes: requests and responses, one JSON object per line."""

from __future__ import annotations

import msgspec

from harness.models.interface import ModelFacts, ModelSpec  # noqa: TC001 - msgspec reads annotations


class Load(msgspec.Struct, tag=True, frozen=True):
    """Load a model and encode one text."""

    spec: ModelSpec
    plugins: tuple[str, ...]
    """Single-file plugins to load in addition to those installed."""
    first_text: str
    spawned: float
    """Start of the process on the system's monotonic clock, in seconds."""


class Calibrate(msgspec.Struct, tag=True, frozen=True):
    """Encode each workload once, untimed, so that the model can calibrate its threads; returns `Facts`."""

    workloads: tuple[tuple[str, ...], ...]


class Prepare(msgspec.Struct, tag=True, frozen=True):
    """Set the workload of the following requests."""

    texts: tuple[str, ...]


class Pass(msgspec.Struct, tag=True, frozen=True):
    """Time passes over the workload."""

    passes: int = 1


class Calls(msgspec.Struct, tag=True, frozen=True):
    """Time calls of `encode` on batches of the workload."""

    texts_per_call: int
    most: int
    """Maximum number of calls."""
    seconds: float
    """Time after which no call is started."""


class MeasureCeiling(msgspec.Struct, tag=True, frozen=True):
    """Measure the matmul ceiling."""


class MeasureMemory(msgspec.Struct, tag=True, frozen=True):
    """Return the peak memory."""


Request = Load | Calibrate | Prepare | Pass | Calls | MeasureCeiling | MeasureMemory


class Facts(msgspec.Struct, tag=True, frozen=True):
    """Identity of the loaded model, and its use of devices and threads."""

    name: str
    fingerprint: str
    facts: ModelFacts
    device: str
    devices: tuple[str, ...]
    workers: int
    per_worker: int
    how: str
    """How threads were chosen; empty for a model that does not report its threads."""


class LoadedModel(msgspec.Struct, tag=True, frozen=True):
    """Seconds of each step of a cold start, and peak memory in bytes before the first encode."""

    process: float
    imports: float
    load: float
    first_encode: float
    resident: int


class Prepared(msgspec.Struct, tag=True, frozen=True):
    """Size of the workload for this model; None where it cannot count."""

    tokens: int | None
    padded_tokens: int | None
    operations: float | None
    """Floating-point operations of its matrix products."""


class Times(msgspec.Struct, tag=True, frozen=True):
    """Wall and CPU seconds of each call."""

    wall: list[float]
    cpu: list[float]
    spent: float
    """CPU seconds of the whole request."""


class MeasuredCeiling(msgspec.Struct, tag=True, frozen=True):
    """The matmul ceiling, in GFLOP/s; None for a model whose arithmetic is unknown."""

    gflops: float | None


class PeakMemory(msgspec.Struct, tag=True, frozen=True):
    """Peak memory so far, in bytes."""

    resident: int
    device: int | None


class Failed(msgspec.Struct, tag=True, frozen=True):
    """Error message of a request that failed."""

    message: str


Response = LoadedModel | Facts | Prepared | Times | MeasuredCeiling | PeakMemory | Failed
