"""Executor `ray`: workers are actors of Ray, on this machine or on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness import hookimpl
from harness.authoring import Executor, require_extra

if TYPE_CHECKING:
    from harness.authoring import ExecutorRequest, Workers


def _open(request: ExecutorRequest) -> Workers:
    from harness_ray.workers import open_ray

    return open_ray(request)


def _check() -> None:
    require_extra("ray", "ray", "executor ray")


@hookimpl
def harness_executors() -> list[Executor]:
    """Return our executor; Ray is imported when it is used."""
    return [
        Executor(
            "ray",
            "actors of Ray: of one that it starts here, or of a cluster (--ray-address; extra `ray`)",
            _open,
            _check,
        )
    ]
