"""Records of a bench: every timed round, and the results computed from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.models.interface import ModelFacts, Settings  # noqa: TC001 - msgspec reads annotations

SCHEMA = 1
"""Version of the record; raise it when a field changes its meaning."""

Verdict = Literal["measured", "too noisy to say"]
Comparison = Literal["faster", "slower", "no difference seen", "too noisy to say"]


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """An estimate and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the length of the interval, relative to the value."""
        return (self.high - self.low) / 2 / self.value


@dataclass(frozen=True, slots=True)
class Round:
    """One timed pass over a workload, or the mean of several if one is too short to time."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all threads and worker processes of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Percentiles of the milliseconds of single-text calls."""

    texts: int
    """Number of calls."""
    p50: float
    p95: float
    p99: float | None
    """None for fewer than 100 calls."""


@dataclass(frozen=True, slots=True)
class BatchPoint:
    """Throughput at a number of texts per call of `encode`."""

    texts_per_call: int
    texts_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """Load of the machine while a variant was timed; None where the system does not report it."""

    load_before: float | None
    """One-minute load average before the rounds."""
    load_after: float | None
    """One-minute load average after the rounds, which contribute to it."""
    others: float | None
    """Share of all cores used by other processes during the rounds, in [0, 1]."""
    steal: float | None
    """Share of all cores taken by the hypervisor, in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadResult:
    """Speed of one variant on one workload."""

    workload: str
    digest: str
    """SHA-256 of the texts."""
    texts: int
    tokens: int | None
    """Real tokens that the model reads: with special tokens, without padding; None if unknown."""
    padded_tokens: int | None
    """Tokens that it computes, padding included; None if unknown."""
    passes: int
    """Passes over the workload in a round; more than one if a pass is too short to time."""
    warm_up: tuple[Round, ...]
    settled: bool
    """Whether warm-up ended because times had settled, rather than at its limit."""
    rounds: tuple[Round, ...]
    """Interleaved: the k-th rounds of all variants are adjacent in time."""
    texts_per_second: SpeedEstimate
    tokens_per_second: float | None
    padded_tokens_per_second: float | None
    latency: Latency | None
    batch_curve: tuple[BatchPoint, ...]
    share_of_ceiling: float | None
    """Achieved speed over the matmul ceiling; None if either is unknown."""
    joules_per_text: float | None
    """Energy of the whole processor package or device; None if it cannot be read."""
    surroundings: Surroundings
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Seconds of a cold start, up to the first embedding; files may be in the system's cache."""

    process: float
    """Starting the interpreter and importing harness."""
    imports: float
    """Importing libraries (torch, transformers, …)."""
    load: float
    """Reading, hashing and checking the model, without imports."""
    first_encode: float
    """Encoding one text for the first time."""

    @property
    def total(self) -> float:
        """Sum of all steps."""
        return self.process + self.imports + self.load + self.first_encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Peak resident memory of the process and its children, and memory of the device, in bytes."""

    loaded: int
    """Peak after loading the model."""
    peak: int
    """Peak at the end."""
    device: int | None = None
    """Peak memory that torch allocated on CUDA devices; None elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRecord:
    """Use of processor cores by a model."""

    workers: int
    per_worker: int
    how: str = ""
    """Description of how they were chosen; empty if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """Speed of the fastest matrix product on this machine with the variant's dtype and threads."""

    gflops: float
    """10⁹ floating-point operations per second; the best of all tries."""
    tries: tuple[float, ...]
    """Best of each try, before and after the rounds; a large spread means a disturbed machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantResult:
    """Result of one model with one set of settings, or its error."""

    label: str
    model: str
    fingerprint: str
    """Empty for a model that could not be loaded."""
    settings: Settings
    facts: ModelFacts | None = None
    threads: ThreadRecord | None = None
    start: Start | None = None
    memory: Memory | None = None
    ceiling: Ceiling | None = None
    workloads: tuple[WorkloadResult, ...] = ()
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Throughput of a variant over that of another, from interleaved rounds."""

    workload: str
    label: str
    against: str
    ratio: SpeedEstimate
    """Ratio of texts per second; the comparison is based on it."""
    cpu_ratio: SpeedEstimate | None
    """Ratio of texts per second of processor time, robust to other processes; None if no time was used."""
    rounds: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Machine of a bench; speeds of two machines are never ranked."""

    fingerprint: str
    """Hash of the fields below."""
    processor: str
    cores: int
    system: str
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Record of one `harness bench`."""

    schema: int = SCHEMA
    started: str
    """UTC, ISO 8601."""
    machine: Machine
    libraries: dict[str, str]
    margin: float
    budget: float
    seconds: float
    """Duration of the bench, loading included."""
    variants: tuple[VariantResult, ...]
    ratios: tuple[Ratio, ...] = ()
    """Ratios against the first variant that was measured successfully."""
    noise_floor: tuple[Ratio, ...] = ()
    """Ratios of the first variant to itself, in two processes; empty unless requested."""
    competitors: tuple[str, ...] = ()
    """Descriptions of the other processes with the most processor time."""
    energy: str | None = None
    """Source of the joules; None if energy cannot be read."""
