"""The inside of a worker: it does units one after the other, and keeps the model of the last one loaded."""

from __future__ import annotations

import hashlib
import importlib
import os
import platform
import socket
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.encoding.shards import encode_shard
from harness.encoding.validate import same_role, tokens_checked
from harness.errors import HarnessError
from harness.execution.units import Encoded, EncodeUnit, ModelDescription, SearchUnit, TrainUnit
from harness.metrics.search_part import search_part
from harness.models.computation import computation
from harness.models.honor import load_located
from harness.models.interface import Role
from harness.models.locate import locate_model
from harness.system.environment import cores, libraries, processor, version
from harness.system.paths import relative_to, user_path
from harness.system.plugin_code import plugin_code
from harness.system.work_unit import Failure, Outcome, WorkerFacts

if TYPE_CHECKING:
    from collections.abc import Callable

    from harness.models.interface import LocatedModel, Model, ModelSpec
    from harness.plugins.loader import Plugins
    from harness.system.work_unit import UnitProgress, WorkerSetup, WorkUnit

_TRAIN = "harness.evaluation.train_unit"
"""Module whose `train` does a `TrainUnit`. By its name: what trains is above what hands units out, as it
measures the model too, and a worker imports it for such a unit alone."""


class UnitRunner:
    """Does units of work, as a worker of any executor does them."""

    def __init__(self, setup: WorkerSetup) -> None:
        self._setup = setup
        self._group = ""
        """Of the model that is loaded."""
        self._model: Model | None = None
        self._described: ModelDescription | None = None

    def facts(self) -> WorkerFacts:
        """Return what this worker is; imports none of the libraries."""
        return WorkerFacts(
            host=socket.gethostname(),
            process=os.getpid(),
            cores=cores(),
            accelerator=os.environ.get("CUDA_VISIBLE_DEVICES", ""),
            processor=processor(),
            versions=versions(),
        )

    def run(self, unit: WorkUnit, tell: Callable[[UnitProgress], None] = lambda _: None) -> Outcome:
        """Do a unit; what it raises is in the outcome. An interruption is raised.

        tell: takes how far a unit is that takes long.
        """
        try:
            with relative_to(Path(self._setup.folder)), plugin_code():
                result = self._run(unit, tell)
        except Exception as error:  # noqa: BLE001 - a model may raise anything; the run decides what it costs
            return Outcome(number=unit.number, failure=Failure.of(error))
        return Outcome(number=unit.number, result=result)

    def _run(self, unit: WorkUnit, tell: Callable[[UnitProgress], None]) -> Any:  # noqa: ANN401 - each its own
        if isinstance(unit, EncodeUnit):
            return self._encode(unit)
        if isinstance(unit, SearchUnit):
            return search_part(unit.part)
        if isinstance(unit, TrainUnit):
            self._model = self._described = None  # its memory is needed
            return importlib.import_module(_TRAIN).train(unit, self._setup, tell)
        raise TypeError(f"no worker can do a {type(unit).__name__}")

    def _encode(self, unit: EncodeUnit) -> Encoded:
        model, described = self._loaded(unit)
        embeddings = tokens = None
        if unit.want == "embeddings":
            embeddings, tokens = encode_shard(model, unit.texts, unit.role)
        elif unit.want == "tokens":
            tokens = tokens_checked(model, model.count_tokens(unit.texts, unit.role), len(unit.texts))
        threads = getattr(model, "threads", None)
        return Encoded(
            model=described,
            threads="" if threads is None else f"{threads} {threads.how}",
            embeddings=embeddings,
            tokens=tokens,
        )

    def _loaded(self, unit: EncodeUnit) -> tuple[Model, ModelDescription]:
        """Return the unit's model, loaded if the last unit was of another; one is held at a time."""
        if self._model is None or self._described is None or self._group != unit.group:
            self._model, self._described = None, None  # its memory is needed
            self._model = self._load(unit)
            self._described = ModelDescription(
                facts=self._model.facts,
                alike={role: same_role(self._model, role) for role in Role},
                computation=computation(self._model.facts.device),
            )
            self._group = unit.group
        return self._model, self._described

    def _load(self, unit: EncodeUnit) -> Model:
        from harness.plugins.loader import load_plugins

        plugins = load_plugins([user_path(file) for file in self._setup.plugin_files])
        return load_located(locate_same(unit.spec, unit.name, unit.fingerprint, plugins))


def locate_same(spec: ModelSpec, name: str, fingerprint: str, plugins: Plugins) -> LocatedModel:
    """Return a model where a worker finds it; raises HarnessError where it has another fingerprint."""
    located = locate_model(spec, plugins.model_schemes())
    if located.fingerprint != fingerprint:
        raise HarnessError(
            f"model {name} is another one where it was to be loaded:"
            f" {located.fingerprint[:12]}, not {fingerprint[:12]}",
            hint="it was changed while the run went on, or a worker's files are not those of the run",
        )
    return located


def versions() -> dict[str, str]:
    """Return what must be the same wherever units of one run are done: versions, and a hash of our code."""
    return {"Python": platform.python_version(), **libraries(), "harness": f"{version()} ({_own_code()})"}


@cache
def _own_code() -> str:
    """Return a hash of the files of harness: a worker of another commit would not be told by its version."""
    folder, hashed = Path(__file__).parents[1], hashlib.sha256()
    for file in sorted(folder.rglob("*.py")):
        hashed.update(file.relative_to(folder).as_posix().encode() + b"\0" + file.read_bytes() + b"\0")
    return hashed.hexdigest()[:8]
