"""Cards of real trainings, and the five published ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import SHARED

from training.trained import card_of_several_datasets, clean_card


@pytest.fixture(scope="session")
def clean(tmp_path_factory) -> Callable[[str], Path]:
    """Trains one of TRAININGS, once in a session, and gives its card."""
    folder = tmp_path_factory.mktemp("trainings")
    return lambda name: clean_card(name, folder)


@pytest.fixture(scope="session")
def several_datasets(tmp_path_factory) -> Path:
    return card_of_several_datasets(tmp_path_factory.mktemp("several"))


@pytest.fixture(scope="session")
def five_cards() -> Path:
    folder = SHARED / "cards"
    if not folder.is_dir():
        pytest.skip(f"needs the published cards in {folder}")
    return folder
