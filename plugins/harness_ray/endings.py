"""Why a worker ended, in plain words, from what Ray says of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_NODE = re.compile(r"node (has )?(died|dead|was terminated)|its node")
_MEMORY = "more memory for each: fewer --workers, or machines with more"


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a worker ended."""

    reason: str
    hint: str | None = None
    trace: str = ""


def ending(error: BaseException) -> Ending:
    """Return why a worker ended, from what was raised where its answer was asked for."""
    import ray.exceptions as of_ray

    text = _COLOR.sub("", str(error)).strip()
    if isinstance(error, of_ray.OutOfMemoryError) or "running low on memory" in text:
        return Ending("Ray ended it: its machine was short of memory", _MEMORY)
    if getattr(error, "preempted", False):
        return Ending("its node was taken away")
    if isinstance(error, of_ray.RuntimeEnvSetupError):
        return Ending("its environment could not be set up", trace=text)
    if isinstance(error, of_ray.RayTaskError) or getattr(error, "actor_init_failed", False):
        return _raised(text)
    if isinstance(error, of_ray.NodeDiedError) or re.search(
        r"node (has )?(died|dead|was terminated)|its node", text
    ):
        return Ending("its node was lost")
    if isinstance(error, of_ray.ActorUnavailableError):
        return Ending("it does not answer")
    if isinstance(error, of_ray.ObjectLostError):
        return Ending("what it had done was lost with its node")
    if isinstance(error, of_ray.WorkerCrashedError) or "worker process has died" in text:
        return Ending("its process died", "out of memory?" if "connection error" in text else None, text)
    return Ending(f"it was lost ({type(error).__name__})", trace=text)


def _raised(text: str) -> Ending:
    """Return the ending of a worker whose own code raised, which a unit's cannot: it is in its outcome."""
    last = next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "an error")
    if "ModuleNotFoundError" in text:
        return Ending(
            f"a library is missing there: {last.removeprefix('ModuleNotFoundError: ')}",
            "install harness with its plugins and extras on all nodes, in the same versions as here",
            text,
        )
    return Ending(last, trace=text)
