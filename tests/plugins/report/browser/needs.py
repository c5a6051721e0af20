"""What the tests in a browser need besides Python."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
PACKAGES = ROOT / "plugins" / "harness_report" / "frontend" / "node_modules"


def missing(sentence: str) -> None:
    """Skip; where the environment variable CI is set, fail: there, everything is installed."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(sentence)


def package(name: str) -> Path:
    """Return the folder of a package from npm that only tests need."""
    folder = PACKAGES / name
    if not folder.is_dir():
        missing(f"needs {name}: run `npm ci` in plugins/harness_report/frontend")
    return folder
