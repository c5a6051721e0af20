"""One variant of a bench (a model as the user configured it): its worker process and its results."""

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
    """A worker process, or its stand-in in tests."""

    def ask(self, request: Request, expected: type[Expected]) -> Expected:
        """Send a request and return the response; raises HarnessError if it failed."""
        ...

    def end(self) -> None:
        """End the process."""
        ...


class VariantProcess:
    """A variant and its worker. The first failure is kept in `error`; later requests are skipped."""

    def __init__(self, label: str, spec: ModelSpec) -> None:
        self.label, self.spec = label, spec
        self.error: str | None = None
        self.meter: Meter | None = None
        self._worker: WorkerLike | None = None
        self._loaded: LoadedModel | None = None
        self._facts: Facts | None = None
        self._memory: Memory | None = None
        self.ceilings: list[float] = []
        """Matmul ceiling of each try, in GFLOP/s."""
        self._results: list[tuple[WorkloadResult, float | None]] = []

    @property
    def device(self) -> str:
        """The device in use; `cpu` before the model is loaded."""
        return self._facts.device if self._facts else "cpu"

    @property
    def devices(self) -> Sequence[str]:
        """Names of the accelerators that the worker sees."""
        return self._facts.devices if self._facts else ()

    @property
    def ceiling_key(self) -> tuple[str, str, int]:
        """Device, dtype and threads, on which the matmul ceiling depends."""
        threads = self._facts.workers * self._facts.per_worker if self._facts else 0
        return self.device, self.spec.settings.dtype, threads

    @property
    def threads(self) -> str | None:
        """Use of threads as a value of `--threads`; None for a model that does not report it."""
        facts = self._facts
        return f"{facts.workers}x{facts.per_worker}" if facts and facts.how else None

    def load(
        self,
        start: Callable[[str], WorkerLike],
        plugins: tuple[str, ...],
        workloads: tuple[tuple[str, ...], ...],
    ) -> None:
        """Start the worker, load the model, encode each workload once; the cold start begins here.

        A model that calibrates its threads does so now, on the same calls that will be timed later.
        """
        spawned = time.monotonic()
        self._worker = start(self.label)
        self._loaded = self.try_ask(Load(self.spec, plugins, workloads[0][0], spawned), LoadedModel)
        self._facts = self.try_ask(Calibrate(workloads), Facts)

    def try_ask(self, request: Request, expected: type[Expected]) -> Expected | None:
        """Send a request; None if it or an earlier one failed, with the reason in `error`."""
        if self.error is not None or self._worker is None:
            return None
        try:
            return self._worker.ask(request, expected)
        except HarnessError as error:
            self.error = str(error)
            return None

    def find_ceiling(self) -> None:
        """Measure the matmul ceiling and add it to `ceilings`."""
        peak = self.try_ask(MeasureCeiling(), MeasuredCeiling)
        if peak is not None and peak.gflops is not None:
            self.ceilings.append(peak.gflops)

    def keep(self, result: WorkloadResult, operations: float | None) -> None:
        """Keep the result on a workload. operations: floating-point operations of a pass, if known."""
        self._results.append((result, operations))

    def rounds(self, workload: str) -> list[Round]:
        """Return the rounds of a workload; empty for one that was not finished."""
        return [each for result, _ in self._results if result.workload == workload for each in result.rounds]

    def finish(self) -> None:
        """Read the peak memory."""
        state = self.try_ask(MeasureMemory(), PeakMemory)
        if state is not None and self._loaded is not None:
            self._memory = Memory(loaded=self._loaded.resident, peak=state.resident, device=state.device)

    def end(self) -> None:
        """End the process."""
        if self._worker is not None:
            self._worker.end()
            self._worker = None

    def result(self) -> VariantResult:
        """Return the record of this variant."""
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
