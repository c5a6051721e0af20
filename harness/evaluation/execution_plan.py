"""By whom the units of a run are done, as it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.plugins.executor import Executor


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionPlan:
    """By whom units are done."""

    executor: Executor
    workers: int | None = None
    """How many; None for the executor's own choice."""
    address: str = ""
    """Where they are; empty for this machine."""
    mixed: bool = False
    """Whether processors may be of several kinds: `--allow processor`."""
    plugin_files: tuple[str, ...] = ()
    """Single files of plugins that the user named: workers load them."""
