"""Start the workers of a command, as its options name them."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.execution.dispatcher import Dispatcher
from harness.execution.unit_runner import versions
from harness.system.plugin_code import error_sentence, plugin_code

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.evaluation.execution_plan import ExecutionPlan


@contextmanager
def open_workers(plan: ExecutionPlan, note: Callable[[str], None]) -> Iterator[Dispatcher]:
    """Start workers for the body; all of them have ended behind it.

    note: takes a sentence for each worker that ends before. Raises HarnessError where there can be none.
    """
    name = plan.executor.name
    try:
        with plugin_code():
            workers = plan.executor.open(replace(plan.request, note=note))
            if lacking := [one for one in ("count", "assign", "wait", "close") if not hasattr(workers, one)]:
                raise TypeError(f"open returned a {type(workers).__name__} without {', '.join(lacking)}")
            if workers.count < 1:
                raise HarnessError(f"executor {name} has no workers")
    except HarnessError:
        raise
    except Exception as error:
        raise HarnessError(f"executor {name} cannot start workers: {error_sentence(error)}") from error
    dispatcher = Dispatcher(workers, versions(), note, name)
    try:
        yield dispatcher
    finally:
        try:
            with plugin_code():
                dispatcher.close()
        except Exception as error:  # noqa: BLE001 - what was done is done
            note(f"executor {name} did not end well: {error_sentence(error)}")
