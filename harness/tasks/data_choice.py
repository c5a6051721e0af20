"""`--data`: a folder, `hub` or `sample`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.paths import shown_path, user_path

if TYPE_CHECKING:
    from pathlib import Path

    from harness.tasks.interface import DataChoice

_WORDS = "--data sample uses the samples that the project ships, --data hub public copies on the hub"


def data_choice(option: str | None) -> DataChoice:
    """Return where tasks read from; None for the samples. A folder named `hub` is `./hub`.

    Raises HarnessError for a folder that does not exist.
    """
    if option is None or option == "sample":
        return None
    if option == "hub":
        return "hub"
    folder = user_path(option)
    if not folder.is_dir():
        raise HarnessError(f"no data folder {option}", hint=_WORDS)
    return folder


def data_path(option: str | None, *, hint: str = _WORDS) -> Path | None:
    """Return the folder of the data, or the file of training rows; None for the hub and the samples.

    Raises HarnessError for a path that does not exist.
    """
    if option in (None, "", "sample", "hub"):
        return None
    path = user_path(str(option))
    if not path.exists():
        raise HarnessError(f"no data folder or file {option}", hint=hint)
    return path


def shown_data(choice: DataChoice) -> str:
    """Return `sample`, `hub`, or a folder as users write it: below the start folder, relative to it."""
    if choice is None:
        return "sample"
    return choice if isinstance(choice, str) else shown_path(choice)
