"""A model that could not be located: it fails on every task, and the run's other models finish."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.models.storage import stored_name

if TYPE_CHECKING:
    from harness.errors import HarnessError
    from harness.models.interface import Model, ModelSpec


def fingerprint_of(spec: ModelSpec) -> str:
    """Return the hex digest under which failures of a model that could not be located are filed."""
    return hashlib.sha256(repr(spec).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class MissingModel:
    """Placeholder in a plan for a model that was not found, with the reason."""

    spec: ModelSpec
    error: HarnessError

    @property
    def name(self) -> str:
        """The name that the user gave, else of the location's last part or the scheme, and of storage."""
        spec = self.spec
        return spec.name or stored_name(Path(spec.location).name or spec.scheme, spec.settings)

    @property
    def fingerprint(self) -> str:
        """Hex digest of the spec: there is no content to hash."""
        return fingerprint_of(self.spec)

    def load(self) -> Model:
        """Raise the reason why it was not found."""
        raise self.error
