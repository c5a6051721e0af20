"""Worker process that measures one variant: it handles one request at a time, and is idle in between.

Requests are JSON objects, one per line, on the original standard input; responses go to the original
standard output. What libraries print goes to standard error. The process ends with its input.
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

from harness.bench.ceiling import arithmetic, ceiling, synchronize
from harness.bench.machine import child_folders, process_seconds
from harness.bench.protocol import (
    Calibrate,
    Calls,
    Facts,
    Failed,
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
from harness.bench.remote import refuse_remote
from harness.errors import HarnessError
from harness.models.interface import Role
from harness.system import processes
from harness.system.plugin_code import error_sentence, plugin_code
from harness.system.signals import handle_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from harness.models.interface import Model


class WorkerLoop:
    """Handler of requests: holds the loaded model and the current workload."""

    def __init__(self) -> None:
        self._model: Model | None = None
        self._texts: tuple[str, ...] = ()

    def handle(self, request: Request) -> Response:
        """Carry out a request; raises what the model raises."""
        if isinstance(request, Load):
            return self._load(request)
        if isinstance(request, Calibrate):
            for texts in request.workloads:
                self.model.encode(list(texts))
            return _facts(self.model)
        if isinstance(request, Prepare):
            return self._prepare(request.texts)
        if isinstance(request, Pass):
            return self._pass(request.passes)
        if isinstance(request, Calls):
            return self._calls(request)
        if isinstance(request, MeasureMemory):
            return PeakMemory(resident=_peak_resident(), device=_device_memory())
        return MeasuredCeiling(self._ceiling())

    @property
    def model(self) -> Model:
        """The loaded model; raises RuntimeError before `Load`."""
        if self._model is None:
            raise RuntimeError("no model was loaded")
        return self._model

    def _load(self, request: Load) -> LoadedModel:
        """Locate and load the model and encode one text; imports are timed apart."""
        from harness.models.honor import load_located
        from harness.models.locate import locate_model
        from harness.plugins.loader import load_plugins

        started = time.monotonic()
        with ImportTimer() as imports:
            schemes = load_plugins([Path(file) for file in request.plugins]).model_schemes()
            self._model = model = load_located(locate_model(request.spec, schemes))
        refuse_remote(model.name, remote=model.facts.remote)
        loaded = time.monotonic()
        resident = _peak_resident()
        model.encode([request.first_text])
        synchronize()
        encoded = time.monotonic()
        return LoadedModel(
            process=started - request.spawned,
            imports=imports.seconds,
            load=loaded - started - imports.seconds,
            first_encode=encoded - loaded,
            resident=resident,
        )

    def _prepare(self, texts: tuple[str, ...]) -> Prepared:
        """Set the workload and count its tokens and operations, outside any timing."""
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
        """Return the real tokens that the model reads of each text: (n,); None if it does not count."""
        counts = self.model.count_tokens(texts)
        limit = self.model.facts.max_tokens
        return counts if counts is None or limit is None else counts.clip(max=limit)

    def _pass(self, passes: int) -> Times:
        """Time passes over the whole workload; returns their mean."""
        times = self._timed([self._texts] * passes)
        return Times([sum(times.wall) / passes], [sum(times.cpu) / passes], times.spent)

    def _calls(self, request: Calls) -> Times:
        """Time calls on consecutive batches of the workload, within the limits of the request."""
        size, texts = request.texts_per_call, self._texts
        calls = [texts[start : start + size] for start in range(0, len(texts) - size + 1, size)]
        return self._timed(calls[: request.most], request.seconds)

    def _timed(self, calls: Sequence[Sequence[str]], seconds: float | None = None) -> Times:
        """Time each call with garbage collection off; start none after `seconds`.

        The first text is encoded before the clock starts, to wake threads and to warm processor caches.
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
                # `encode` returns host arrays, so the device has finished; a third-party model may differ.
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
        """Measure the matmul ceiling; None for a model whose arithmetic is unknown."""
        if arithmetic(self.model) is None:
            return None
        facts, settings = _facts(self.model), self.model.spec.settings
        # `cuda:1` where that was requested, else the device in use.
        device = settings.device if settings.device.startswith(f"{facts.device}:") else facts.device
        return ceiling(settings.dtype, device, facts.workers * facts.per_worker)


class ImportTimer:
    """Context manager that adds up the seconds this thread spends in imports, nested ones once."""

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
    """Return how threads were chosen, as the model describes it; `unknown` if it does not."""
    if threads is None:
        return ""
    how = getattr(threads, "how", None) or getattr(getattr(model, "workers", None), "how", None)
    return str(how or "unknown")


def _optional_int(number: object) -> int | None:
    return None if number is None else int(number)  # type: ignore[call-overload] # any value of a third-party model


def _processor_seconds() -> float:
    """Return the CPU time of this process and of its children, a model's worker processes."""
    return time.process_time() + sum(process_seconds(child) for child in child_folders())


def _peak_resident() -> int:
    """Return the peak resident memory of this process and its current children, in bytes."""
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


def main() -> None:
    """Handle requests until standard input or the parent process ends."""
    processes.end_with_parent()
    requests, responses = protected_streams()
    loop = WorkerLoop()
    with handle_signals():
        for line in requests:
            responses.write(_respond(loop, line).decode() + "\n")
            responses.flush()


def _respond(loop: WorkerLoop, line: str) -> bytes:
    """Return the encoded response, `Failed` for any error: a failing model does not end the process."""
    try:
        request: Request = msgspec.json.decode(line, type=Request)
        with plugin_code():
            return msgspec.json.encode(loop.handle(request))
    except HarnessError as error:
        return msgspec.json.encode(Failed(str(error)))
    except Exception as error:  # noqa: BLE001 - a third-party model may raise anything
        return msgspec.json.encode(Failed(error_sentence(error)))


def protected_streams() -> tuple[TextIO, TextIO]:
    """Reserve both streams for the protocol: libraries read nothing and print to standard error."""
    kept_in, kept_out = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return os.fdopen(kept_in, encoding="utf-8"), os.fdopen(kept_out, "w", encoding="utf-8")


if __name__ == "__main__":
    main()
