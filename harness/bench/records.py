"""What is kept of a bench: every round as it was timed, and what was concluded from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from harness.models.interface import ModelFacts, Settings  # noqa: TC001 - msgspec reads annotations

SCHEMA = 1
"""Raise it when the files change their meaning."""

Verdict = Literal["measured", "too noisy to say"]
Comparison = Literal["faster", "slower", "no difference seen", "too noisy to say"]


@dataclass(frozen=True, slots=True)
class SpeedEstimate:
    """A figure and the ends of its 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def half_width(self) -> float:
        """Half the interval's length, relative to the figure."""
        return (self.high - self.low) / 2 / self.value


@dataclass(frozen=True, slots=True)
class Round:
    """One timed pass over a workload (or the mean of several, where one is too short to time)."""

    wall: float
    """Seconds."""
    cpu: float
    """Seconds of all threads and worker processes of the model."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Latency:
    """Milliseconds that one text takes, alone in its call."""

    texts: int
    """How many calls were timed."""
    p50: float
    p95: float
    p99: float | None
    """None for fewer than 100 calls: there is no hundredth."""


@dataclass(frozen=True, slots=True)
class BatchPoint:
    """Throughput when `encode` is given so many texts per call."""

    texts_per_call: int
    texts_per_second: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What else the machine did while a variant was timed; None where the system does not say."""

    load_before: float | None
    load_after: float | None
    """One-minute load averages; our own rounds are part of the second."""
    others: float | None
    """Share of all cores that processes which are not ours used during the rounds, in [0, 1]."""
    steal: float | None
    """Share of all cores that the hypervisor gave to other machines, in [0, 1]."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkloadResult:
    """How fast one variant encoded one workload."""

    workload: str
    digest: str
    """SHA-256 of the texts."""
    texts: int
    tokens: int | None
    """Real tokens that the model reads, special ones included, padding not; None if unknown."""
    padded_tokens: int | None
    """Tokens that it computes, with padding; None if unknown."""
    passes: int
    """Passes over the workload in a round; more than one where a pass is too short to time."""
    warm_up: tuple[Round, ...]
    settled: bool
    """Whether warm-up ended because times had settled, and not because its limit was reached."""
    rounds: tuple[Round, ...]
    """Interleaved: the k-th rounds of all variants lie side by side in time."""
    texts_per_second: SpeedEstimate
    tokens_per_second: float | None
    padded_tokens_per_second: float | None
    latency: Latency | None
    batch_curve: tuple[BatchPoint, ...]
    share_of_ceiling: float | None
    """Achieved over measured matmul speed; None where either is unknown."""
    joules_per_text: float | None
    """Of the whole processor package or device; None where the platform does not give it."""
    surroundings: Surroundings
    verdict: Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Seconds from nothing to the first embedding, step by step; files may be in the system's cache."""

    process: float
    """Starting the interpreter and importing the harness itself."""
    imports: float
    """Importing libraries (torch, transformers, …)."""
    load: float
    """Reading, hashing and checking the model, without imports."""
    first_encode: float
    """Encoding one text for the first time."""

    @property
    def total(self) -> float:
        """All of it."""
        return self.process + self.imports + self.load + self.first_encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Bytes; peak resident memory of the model's process and its workers, and of its device."""

    loaded: int
    """Peak until the model was loaded."""
    peak: int
    """Peak until the end."""
    device: int | None = None
    """Peak memory that torch took on a CUDA device; None elsewhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadRecord:
    """How a model uses the cores."""

    workers: int
    per_worker: int
    how: str = ""
    """How these were chosen, in words; empty if unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    """The fastest matrix product measured on this machine in the variant's dtype and threads."""

    gflops: float
    """10⁹ floating-point operations per second: the best of all tries."""
    tries: tuple[float, ...]
    """The best of each try, before the rounds and after them; far apart, the machine was not itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VariantResult:
    """One model with one set of settings, measured; or why not."""

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
    """Throughput of a variant over that of another, from rounds side by side."""

    workload: str
    label: str
    against: str
    ratio: SpeedEstimate
    """Of texts per second; what the comparison is about."""
    cpu_ratio: SpeedEstimate | None
    """Of texts per second of processor time, which other processes hardly move; None where none was used."""
    rounds: int
    comparison: Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where it was measured; speeds of two machines are never ranked."""

    fingerprint: str
    """Hash of what stands below."""
    processor: str
    cores: int
    system: str
    devices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """All that one `harness bench` found: the content of one file."""

    schema: int = SCHEMA
    started: str
    """UTC, ISO 8601."""
    machine: Machine
    libraries: dict[str, str]
    margin: float
    budget: float
    seconds: float
    """What measuring took, loading included."""
    variants: tuple[VariantResult, ...]
    ratios: tuple[Ratio, ...] = ()
    """Against the first variant that could be measured."""
    noise_floor: tuple[Ratio, ...] = ()
    """The first variant against itself, in two processes; empty where it was not asked for."""
    competitors: tuple[str, ...] = ()
    """What else used the processor most, in words."""
    energy: str | None = None
    """Where joules come from; None where this platform gives none."""
