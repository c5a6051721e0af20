"""Whether a located model can be used as it was asked for, as far as that shows before it is loaded."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import Faults
from harness.models.backends import check_backend
from harness.models.devices import check_device
from harness.models.known import known_dimensions, probe
from harness.models.missing_model import MissingModel
from harness.models.stored_model import more_dimensions_error, source_of

if TYPE_CHECKING:
    from harness.models.interface import LocatedModel


def check_usable(located: LocatedModel) -> None:
    """Raise HarnessError where a model was not found, or cannot do what its settings ask; loads nothing.

    It names all that is wrong: a device that is not here, dimensions that the model does not have, a server
    that does not answer. What only shows when the model is loaded is not found.
    """
    if isinstance(located, MissingModel):
        raise located.error
    faults, settings = Faults(), located.spec.settings
    # A plugin's model may pay no heed to the device: what runs nowhere on this machine is its own to say.
    if hasattr(source_of(located), "folder"):
        with faults.collect():
            check_device(settings.device)
        with faults.collect():
            check_backend(settings.backend)
    with faults.collect():
        probe(located)
    full = known_dimensions(located)
    if full is not None and settings.truncate_dim is not None and settings.truncate_dim > full:
        faults.add(more_dimensions_error(settings.truncate_dim, source_of(located).name, full))
    faults.refuse(f"model {located.name}")
