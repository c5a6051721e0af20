"""Models that were in the memory of a Python process: another process cannot find them again."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.models.interface import LocatedModel, ModelSpec

PYTHON = "python"
"""Scheme of the spec of a model that was passed as an object: it leads nowhere."""


def requested_spec(located: LocatedModel) -> ModelSpec:
    """Return the spec that a journal keeps of a model: without a location, if it was in memory."""
    spec, source = located.spec, getattr(located, "source", located)
    live = getattr(source, "live", None) is not None
    return replace(spec, scheme=PYTHON, location="") if live else spec


def refuse_in_memory(located: LocatedModel) -> None:
    """Raise HarnessError for a model that only this process has: no worker can load it."""
    if requested_spec(located).scheme == PYTHON:
        raise HarnessError(
            f"model {located.name} is in the memory of this process: no worker can load it",
            hint="save it and give its folder, or leave the executor out",
        )


def refuse_lost(spec: ModelSpec) -> None:
    """Raise HarnessError for the spec of a model that was in memory."""
    if spec.scheme == PYTHON:
        raise HarnessError(
            f"model {spec.name or 'without a name'} was in the memory of a Python process",
            hint="evaluate it from there: harness.evaluate({name: model}, tasks, out=FOLDER); or save it",
        )
