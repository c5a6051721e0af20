"""Seconds of a start before the first text that matters, stage by stage, in this fresh process.

    python -m benchmarks.start

prints one JSON object: stage → seconds. `benchmarks.peers --what start` runs it several times.
"""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from harness import Model, Role, Settings
    from harness.authoring import ModelScheme
    from harness.models.backends import Backend, Batch
    from harness.models.backends.backend_model import BackendModel
    from harness.models.backends.threads import Workers
    from harness.models.sentence_transformer import LocatedFolder
    from harness.results.records import Throughput

T = TypeVar("T")
_BATCHES = 8
"""Threads are calibrated on the middle one of so many batches, as in a run."""


class Stages:
    """Seconds of each stage, in the order in which they ran."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, call: Callable[[], T]) -> T:
        """Call, and note the seconds it took."""
        began = time.perf_counter()
        result = call()
        self.seconds[name] = time.perf_counter() - began
        return result


def stages() -> dict[str, float]:
    """Run the start of `harness run --model minilm` by hand, stage by stage; return seconds of each."""
    timed = Stages()
    schemes = timed.time("import harness, load plugins", _schemes)
    located = timed.time("locate and hash the model", lambda: _locate(schemes))
    timed.time("import torch and sentence-transformers", _import_libraries)
    backend_model = timed.time("load the model", lambda: _load(located.folder, located.spec.settings))
    backend = timed.time("equality check", lambda: _choose(backend_model))
    timed.time("settle shapes", backend.make_batch_invariant)
    texts = _texts()
    batches = list(itertools.islice(backend.batches(texts, _text_role()), _BATCHES))
    workers = timed.time("calibrate threads", lambda: _calibrate(backend, batches[len(batches) // 2]))
    _time_kept_proof(located, timed)
    # A second copy, made by `load`: the stages above leave the parts of a model.
    model = located.load()
    model.workers = workers
    timed.time("short throughput measurement", lambda: _measure(model))
    return timed.seconds


def _schemes() -> Mapping[str, ModelScheme]:
    from harness.plugins.loader import load_plugins

    return load_plugins().model_schemes()


def _locate(schemes: Mapping[str, ModelScheme]) -> LocatedFolder:
    from harness.models.locate import locate_model, parse_model

    # What the scheme `minilm` finds is a folder.
    return locate_model(parse_model("minilm", schemes), schemes)  # type: ignore[return-value]


def _import_libraries() -> None:
    import sentence_transformers  # noqa: F401 - the import is what is timed
    import torch  # noqa: F401 - likewise


def _load(folder: Path, settings: Settings) -> BackendModel:
    from sentence_transformers import SentenceTransformer

    from harness.models.backends.backend_model import BackendModel

    return BackendModel(
        SentenceTransformer(str(folder), device="cpu", local_files_only=True), settings, "minilm"
    )


def _choose(backend_model: BackendModel) -> Backend:
    from harness.models.backends.choose import choose

    return choose(backend_model, "auto").backend


def _time_kept_proof(located: LocatedFolder, timed: Stages) -> None:
    """Time what a known model takes in place of the check, the shapes and the calibration."""
    from harness.models.backends.proof import ProofFile, prove

    with tempfile.TemporaryDirectory() as folder:
        spec = replace(located.spec, proofs=folder)
        file = timed.time("hash the code that encodes", lambda: ProofFile(spec, located.fingerprint, "cpu"))
        prove(_load(located.folder, spec.settings), spec.settings, file)
        model = _load(located.folder, spec.settings)
        timed.time("a kept proof, in place of these three", lambda: prove(model, spec.settings, file))


def _texts() -> list[str]:
    from harness.models.workload import workload

    return list(workload())


def _text_role() -> Role:
    from harness.models.interface import Role

    return Role.TEXT


def _calibrate(backend: Backend, batch: Batch) -> Workers:
    from harness.models.backends.threads import Workers

    workers = Workers()
    workers.calibrate(lambda: backend.run(batch))
    return workers


def _measure(model: Model) -> Throughput:
    from harness.evaluation.throughput import measure

    return measure(model)


if __name__ == "__main__":
    print(json.dumps(stages()))
