"""A hook that exits the process."""

import sys

from harness import hookimpl


@hookimpl
def harness_tasks():
    sys.exit(0)
