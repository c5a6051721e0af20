"""Comparisons of results that a test writes below the current folder."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, monkeypatch):
    """Run in an empty folder."""
    monkeypatch.chdir(tmp_path)
