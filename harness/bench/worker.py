"""The process in which one variant is measured: it does one thing when told, and waits idly between.

Orders are JSON, one a line, on what was standard input; answers likewise on what was standard output. What
libraries print goes to standard error. It ends when its input does.
"""

from __future__ import annotations

import builtins
import gc
import importlib
import os
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TextIO

import msgspec

from harness.bench.machine import child_folders, process_seconds
from harness.bench.protocol import (
    Calibrate,
    Calls,
    Facts,
    Load,
    LoadedModel,
    MeasuredCeiling,
    MeasureMemory,
    Pass,
    PeakMemory,
    Prepare,
    Prepared,
    Request,
    Response,
    Times,
)
from harness.bench.roofline import arithmetic, ceiling, synchronize
from harness.errors import HarnessError
from harness.models.interface import Role
from harness.system import processes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from harness.models.interface import Model


class WorkerLoop:
    """A loaded model, and the workloads it is timed on."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._texts: tuple[str, ...] = ()

    def obey(self, order: Request) -> Response:
        """Do what an order says; raises whatever the model raises."""
        if isinstance(order, Load):
            return self._load(order)
        if isinstance(order, Calibrate):
            for texts in order.workloads:
                self.model.encode(list(texts))
            return _facts(self.model)
        if isinstance(order, Prepare):
            return self._prepare(order.texts)
        if isinstance(order, Pass):
            return self._pass(order.passes)
        if isinstance(order, Calls):
            return self._calls(order)
        if isinstance(order, MeasureMemory):
            return PeakMemory(resident=_peak_resident(), device=_device_memory())
        return MeasuredCeiling(self._ceiling())

    @property
    def model(self) -> Model:
        """The model; raises RuntimeError before it was loaded."""
        if self._model is None:
            raise RuntimeError("no model was loaded")
        return self._model

    def _load(self, order: Load) -> LoadedModel:
        from harness.models.locate import locate_model
        from harness.plugins.loader import load_plugins

        started = time.monotonic()
        with ImportTimer() as importing:
            schemes = load_plugins([Path(file) for file in order.plugins]).model_schemes()
            self._model = model = locate_model(order.spec, schemes).load()
        loaded = time.monotonic()
        resident = _peak_resident()
        model.encode([order.first_text])
        synchronize()
        encoded = time.monotonic()
        return LoadedModel(
            process=started - order.spawned,
            imports=importing.seconds,
            load=loaded - started - importing.seconds,
            first_encode=encoded - loaded,
            resident=resident,
        )

    def _prepare(self, texts: tuple[str, ...]) -> Prepared:
        """Take a workload, and count what is in it before any clock runs."""
        self._texts = texts
        lengths = self._lengths(texts)
        padded = getattr(self.model, "padded_tokens", None)
        work = arithmetic(self.model)
        return Prepared(
            tokens=None if lengths is None else int(lengths.sum()),
            padded_tokens=_optional_int(padded(texts, Role.TEXT)) if callable(padded) else None,
            operations=None if lengths is None or work is None else work.of(lengths),
        )

    def _lengths(self, texts: Sequence[str]) -> np.ndarray | None:
        """Real tokens that the model reads of each text."""
        counts = self.model.count_tokens(texts)
        limit = self.model.facts.max_tokens
        return counts if counts is None or limit is None else counts.clip(max=limit)

    def _pass(self, passes: int) -> Times:
        """Time passes over the whole workload; one answer, the mean of a pass."""
        times = self._timed([self._texts] * passes)
        return Times([sum(times.wall) / passes], [sum(times.cpu) / passes], times.spent)

    def _calls(self, order: Calls) -> Times:
        """Time calls of so many texts each, over the workload in order, until time or texts are up."""
        size, texts = order.texts_per_call, self._texts
        calls = [texts[start : start + size] for start in range(0, len(texts) - size + 1, size)]
        return self._timed(calls[: order.most], order.seconds)

    def _timed(self, calls: Sequence[Sequence[str]], seconds: float | None = None) -> Times:
        """Time each call, garbage collection off; after so many seconds no further one is begun.

        The first text is encoded before the clock starts: threads wake, caches hold this model again.
        """
        began, encode, wall, cpu = _processor_seconds(), self.model.encode, [], []
        lists = [list(call) for call in calls]
        encode(lists[0][:1])
        gc.collect()
        gc.disable()
        try:
            end = None if seconds is None else time.perf_counter() + seconds
            for texts in lists:
                used = _processor_seconds()
                synchronize()
                started = time.perf_counter()
                encode(texts)
                # `encode` returns host arrays, so a device has finished; a stranger's may not keep to that.
                synchronize()
                now = time.perf_counter()
                wall.append(now - started)
                cpu.append(_processor_seconds() - used)
                if end is not None and now > end:
                    break
        finally:
            gc.enable()
        return Times(wall, cpu, _processor_seconds() - began)

    def _ceiling(self) -> float | None:
        """None for a model whose arithmetic is unknown: there is nothing to hold against a ceiling."""
        if arithmetic(self.model) is None:
            return None
        facts, settings = _facts(self.model), self.model.spec.settings
        # The model's own device among several, where one was asked for.
        device = settings.device if settings.device.startswith(f"{facts.device}:") else facts.device
        return ceiling(settings.dtype, device, facts.workers * facts.per_worker)


def main() -> None:
    """Serve until standard input ends, or the process that gives orders."""
    processes.end_with_parent()
    orders, answers = protected_streams()
    bench = WorkerLoop()
    for line in orders:
        answers.write(_respond(bench, line).decode() + "\n")
        answers.flush()


def _respond(bench: WorkerLoop, line: str) -> bytes:
    """Answer an order, or say why not: a model's failure does not end the process."""
    try:
        order: Request = msgspec.json.decode(line, type=Request)
        return msgspec.json.encode(bench.obey(order))
    except HarnessError as error:
        return msgspec.json.encode({"type": "Failed", "message": str(error)})
    except Exception as error:  # noqa: BLE001 - a stranger's model may raise anything; it is passed on
        return msgspec.json.encode({"type": "Failed", "message": f"{type(error).__name__}: {error}"})


def protected_streams() -> tuple[TextIO, TextIO]:
    """Keep both streams for orders and answers: libraries read nothing, and print to standard error."""
    kept_in, kept_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(kept_in, encoding="utf-8"), os.fdopen(kept_out, "w", encoding="utf-8")


def _facts(model: Model) -> Facts:
    torch = sys.modules.get("torch")
    threads = getattr(model, "threads", None)
    own = int(torch.get_num_threads()) if torch is not None else 1
    names = []
    if torch is not None and model.facts.device == "cuda":
        names = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    return Facts(
        name=model.name,
        fingerprint=model.fingerprint,
        facts=model.facts,
        device=model.facts.device,
        devices=tuple(names),
        workers=int(getattr(threads, "workers", 1)),
        per_worker=int(getattr(threads, "per_worker", own)),
        how=_threads_source(model, threads),
    )


def _threads_source(model: Model, threads: object) -> str:
    """How threads were chosen, in the model's words; `unknown` for one that has threads and no words."""
    if threads is None:
        return ""
    said = getattr(threads, "how", None) or getattr(getattr(model, "workers", None), "how", None)
    return str(said or "unknown")


def _optional_int(number: object) -> int | None:
    return None if number is None else int(number)  # type: ignore[call-overload] # whatever a stranger's model says


def _processor_seconds() -> float:
    """CPU time of this process, and of the worker processes that a model may have."""
    return time.process_time() + sum(process_seconds(child) for child in child_folders())


def _peak_resident() -> int:
    """Peak resident memory of this process and its children now, in bytes."""
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
    return own + sum(_peak_of_child(child) for child in child_folders())


def _peak_of_child(folder: Path) -> int:
    try:
        lines = (folder / "status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")), 0)


def _device_memory() -> int | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return sum(int(torch.cuda.max_memory_allocated(index)) for index in range(torch.cuda.device_count()))


class ImportTimer:
    """While it is entered, adds up the seconds that this thread spends in imports, nested ones once."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._depth = 0
        self._thread = threading.get_ident()
        self._import, self._import_module = builtins.__import__, importlib.import_module

    def __enter__(self) -> Self:
        builtins.__import__ = self._counted(self._import)
        importlib.import_module = self._counted(self._import_module)
        return self

    def __exit__(self, *_: object) -> None:
        builtins.__import__, importlib.import_module = self._import, self._import_module

    def _counted(self, importing: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:  # noqa: ANN401 - passed on as they are
            if threading.get_ident() != self._thread or self._depth:
                return importing(*arguments, **options)
            self._depth += 1
            started = time.monotonic()
            try:
                return importing(*arguments, **options)
            finally:
                self._depth -= 1
                self.seconds += time.monotonic() - started

        return counted


if __name__ == "__main__":
    main()
