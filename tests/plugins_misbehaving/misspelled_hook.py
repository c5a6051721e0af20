"""Implements a hook that does not exist."""

from harness import hookimpl


@hookimpl
def harness_taks():
    return []
