"""One variant while it is measured: its process, what it answered, and where it failed."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, TypeVar

from harness.bench.protocol import (
    Calibrate,
    Facts,
    Load,
    LoadedModel,
    MeasureCeiling,
    MeasuredCeiling,
    MeasureMemory,
    PeakMemory,
)
from harness.bench.records import Ceiling, Memory, Round, Start, ThreadRecord, VariantResult, WorkloadResult
from harness.errors import HarnessError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from harness.bench.energy import Meter
    from harness.bench.protocol import Request
    from harness.models.interface import ModelSpec

Expected = TypeVar("Expected")


class WorkerLike(Protocol):
    """What carries out orders: a process, or in tests its stand-in."""

    def ask(self, order: Request, expected: type[Expected]) -> Expected:
        """Give an order and wait for its answer; raises HarnessError where there is none."""
        ...

    def end(self) -> None:
        """End it."""
        ...


class VariantProcess:
    """A variant and its process. Its first failure is kept in `error`, and ends its part."""

    def __init__(self, label: str, spec: ModelSpec) -> None:
        self.label, self.spec = label, spec
        self.error: str | None = None
        self.meter: Meter | None = None
        self._process: WorkerLike | None = None
        self._loaded: LoadedModel | None = None
        self._facts: Facts | None = None
        self._memory: Memory | None = None
        self.ceilings: list[float] = []
        """The best matmul of each try, in GFLOP/s."""
        self._results: list[tuple[WorkloadResult, float | None]] = []

    @property
    def device(self) -> str:
        """The device in use; `cpu` before the model is loaded."""
        return self._facts.device if self._facts else "cpu"

    @property
    def devices(self) -> Sequence[str]:
        """Names of the accelerators that it sees."""
        return self._facts.devices if self._facts else ()

    @property
    def arithmetic(self) -> tuple[str, str, int]:
        """What a matmul ceiling depends on: device, dtype and threads."""
        threads = self._facts.workers * self._facts.per_worker if self._facts else 0
        return self.device, self.spec.settings.dtype, threads

    @property
    def way(self) -> str | None:
        """How it uses threads, as `--threads` takes it; None for a model that does not say."""
        facts = self._facts
        return f"{facts.workers}x{facts.per_worker}" if facts and facts.how else None

    def load(
        self,
        start: Callable[[str], WorkerLike],
        plugins: tuple[str, ...],
        workloads: tuple[tuple[str, ...], ...],
    ) -> None:
        """Start the process, load the model, encode each workload once; a cold start's clock runs from here.

        A model that calibrates its threads does so here, on the calls that will be timed, and not among them.
        """
        spawned = time.monotonic()
        self._process = start(self.label)
        self._loaded = self.try_asking(Load(self.spec, plugins, workloads[0][0], spawned), LoadedModel)
        self._facts = self.try_asking(Calibrate(workloads), Facts)

    def try_asking(self, order: Request, expected: type[Expected]) -> Expected | None:
        """Give an order; None when it fails, now or earlier, with the reason in `error`."""
        if self.error is not None or self._process is None:
            return None
        try:
            return self._process.ask(order, expected)
        except HarnessError as error:
            self.error = str(error)
            return None

    def find_ceiling(self) -> None:
        """Measure the matmul ceiling once more."""
        peak = self.try_asking(MeasureCeiling(), MeasuredCeiling)
        if peak is not None and peak.gflops is not None:
            self.ceilings.append(peak.gflops)

    def keep(self, result: WorkloadResult, operations: float | None) -> None:
        """Keep a finished workload, and the arithmetic in a pass over it."""
        self._results.append((result, operations))

    def rounds(self, workload: str) -> list[Round]:
        """The rounds of a workload that counted; empty for one that was not finished."""
        return [one for result, _ in self._results if result.workload == workload for one in result.rounds]

    def finish(self) -> None:
        """Ask how much memory it took in all."""
        state = self.try_asking(MeasureMemory(), PeakMemory)
        if state is not None and self._loaded is not None:
            self._memory = Memory(loaded=self._loaded.resident, peak=state.resident, device=state.device)

    def end(self) -> None:
        """End the process."""
        if self._process is not None:
            self._process.end()
            self._process = None

    def result(self) -> VariantResult:
        """What is known of it."""
        loaded, facts = self._loaded, self._facts
        if loaded is None or facts is None:
            return VariantResult(
                label=self.label,
                model=self.spec.name or self.label,
                fingerprint="",
                settings=self.spec.settings,
                error=self.error,
            )
        return VariantResult(
            label=self.label,
            model=facts.name,
            fingerprint=facts.fingerprint,
            settings=self.spec.settings,
            facts=facts.facts,
            threads=ThreadRecord(workers=facts.workers, per_worker=facts.per_worker, how=facts.how),
            start=Start(
                process=loaded.process,
                imports=loaded.imports,
                load=loaded.load,
                first_encode=loaded.first_encode,
            ),
            memory=self._memory,
            ceiling=self._ceiling(),
            workloads=tuple(self._with_share(result, work) for result, work in self._results),
            error=self.error,
        )

    def _ceiling(self) -> Ceiling | None:
        return Ceiling(gflops=max(self.ceilings), tries=tuple(self.ceilings)) if self.ceilings else None

    def _with_share(self, result: WorkloadResult, operations: float | None) -> WorkloadResult:
        ceiling = self._ceiling()
        if operations is None or ceiling is None:
            return result
        achieved = operations * result.texts_per_second.value / result.texts
        return replace(result, share_of_ceiling=achieved / (ceiling.gflops * 1e9))
