"""A hook that returns None."""

from harness import hookimpl


@hookimpl
def harness_tasks():
    """Return nothing."""
