"""Options of commands whose work may be done by workers: `--executor` and what belongs to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from harness.cli.groups import grouped
from harness.errors import HarnessError, did_you_mean
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from harness.cli.workspace import Workspace
    from harness.evaluation.execution_plan import ExecutionPlan

    Decorator = Callable[[Any], Any]

PROCESSOR = "processor"
"""What `--allow` takes: workers with several kinds of processors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionOptions:
    """By whom work is done."""

    executor: str | None
    workers: int | None
    ray_address: str | None
    allowed: tuple[str, ...]

    def plan(self, workspace: Workspace, *, configured: bool = True) -> ExecutionPlan | None:
        """Return by whom units of work are done; None for this process.

        configured: whether the configuration decides where no option does.
        Raises HarnessError for an executor that does not exist or cannot be used, and for options that it
        does not take.
        """
        from harness.evaluation.execution_plan import ExecutionPlan
        from harness.plugins.selection import LOCAL, select_executor

        allowed = split_words(self.allowed)
        for word in allowed:
            if word != PROCESSOR:
                raise HarnessError(
                    f"--allow {word}: only {PROCESSOR} can be allowed",
                    exists="\n".join(did_you_mean(word, [PROCESSOR])) or None,
                    hint="workers may then have processors of several kinds; embeddings differ by rounding",
                )
        config = workspace.config if configured else None
        name = self.executor or (config and config.executor) or LOCAL
        selected = select_executor(
            workspace.plugins,
            name,
            workers=self.workers or (None if self.executor or config is None else config.workers),
            address=self.ray_address or "",
            plugin_files=workspace.plugin_files,
        )
        if selected is None:
            for option, value in (
                ("--workers", self.workers),
                ("--ray-address", self.ray_address),
                ("--allow", allowed),
            ):
                if value:
                    raise HarnessError(
                        f"{option} is of no use without workers",
                        hint="--executor processes, or --executor ray, has some (docs/cluster.md)",
                    )
            return None
        return ExecutionPlan(*selected, mixed=PROCESSOR in allowed)


def execution_options(command: Decorator) -> Decorator:
    """Add the options of `ExecutionOptions`, as the argument `execution`."""
    allow = click.option(
        "--allow",
        "allowed",
        multiple=True,
        metavar="WORDS",
        help="processor: workers may have processors of several kinds; the records say so.",
    )
    made: Decorator = worker_options("encodes")(allow(grouped(execution=ExecutionOptions)(command)))
    return made


def worker_options(does: str) -> Decorator:
    """Add the options that name workers, for a command with an `--allow` of its own. does: what they do."""
    options = [
        click.option(
            "--executor",
            metavar="NAME",
            help=f"Who {does}: local, processes, ray or a plugin's (docs/cluster.md).  [default: local]",
        ),
        click.option(
            "--workers",
            type=click.IntRange(min=1),
            help="How many workers.  [default: one per GPU, else per 8 processors]",
        ),
        click.option(
            "--ray-address",
            metavar="ADDRESS",
            help="Of a running Ray: auto, or ray://HOST:PORT.  [default: start one here]",
        ),
    ]

    def decorate(command: Decorator) -> Decorator:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
