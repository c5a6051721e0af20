"""Answers a question that nobody asks."""

from harness import hookimpl


@hookimpl
def harness_taks():
    return []
