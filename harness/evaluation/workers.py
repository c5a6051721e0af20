"""Start the workers of a command, as its options name them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.execution.dispatcher import Dispatcher
from harness.execution.unit_runner import versions
from harness.plugins.executor import ExecutorRequest
from harness.system.paths import start_folder
from harness.system.plugin_code import plugin_code
from harness.system.work_unit import WorkerSetup

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from harness.evaluation.execution_plan import ExecutionPlan


@contextmanager
def open_workers(plan: ExecutionPlan, note: Callable[[str], None]) -> Iterator[Dispatcher]:
    """Start workers for the body; all of them have ended behind it.

    note: takes a sentence for each worker that ends before. Raises HarnessError where there can be none.
    """
    setup = WorkerSetup(folder=str(start_folder()), plugin_files=plan.plugin_files)
    request = ExecutorRequest(setup=setup, workers=plan.workers, address=plan.address)
    with plugin_code():
        workers = plan.executor.open(request)
    if workers.count < 1:
        raise HarnessError(f"executor {plan.executor.name} has no workers")
    dispatcher = Dispatcher(workers, versions(), note)
    try:
        yield dispatcher
    finally:
        dispatcher.close()
