"""Faults are met where users meet them: at the command line."""

from cli.conftest import Answer, harness, run, somewhere_else

__all__ = ["Answer", "harness", "run", "somewhere_else"]
