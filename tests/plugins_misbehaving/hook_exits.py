"""Ends the process while it is asked."""

import sys

from harness import hookimpl


@hookimpl
def harness_tasks():
    sys.exit(0)
