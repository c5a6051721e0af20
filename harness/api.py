"""Functions for Python users; the rest of `harness` does the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.models.interface import Model, Settings


def load_model(text: str, settings: Settings | None = None) -> Model:
    """Load a model as `--model` would: a folder, a hub id, or a scheme such as `minilm`.

    Raises HarnessError where it does not exist or cannot be loaded.
    """
    from harness.models.honor import load_located
    from harness.models.locate import locate_model, parse_model
    from harness.plugins.loader import load_plugins

    schemes = load_plugins().model_schemes()
    return load_located(locate_model(parse_model(text, schemes, settings), schemes))
