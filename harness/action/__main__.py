"""Entry point of `python -m harness.action`."""

from __future__ import annotations

import os
import sys

from harness.action.steps import run_action

if __name__ == "__main__":
    sys.exit(run_action(os.environ))
