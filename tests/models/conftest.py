"""Folders of the zoo, and copies of them to be spoilt."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from zoo import ZOO
from zoo_folders import FOLDERS


@pytest.fixture(scope="session")
def folder_of(tmp_path_factory):
    """Folders of the zoo, each built on first use, with nothing beside it."""
    root, made = tmp_path_factory.mktemp("folders"), {}

    def folder(name):
        if name.startswith("adapter"):
            pytest.importorskip("peft", reason="needs the extra `adapters`")
        if name not in made:
            made[name] = {**ZOO, **FOLDERS}[name](root / name / name)
        return made[name]

    return folder


@pytest.fixture
def copy_of(folder_of, tmp_path):
    """Copy a folder of the zoo, to spoil the copy."""
    return lambda name: Path(shutil.copytree(folder_of(name), tmp_path / "model"))
