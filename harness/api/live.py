"""Live models: a SentenceTransformer in memory, evaluated as the folder that it would save."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.models.honor import refuse_settings
from harness.models.interface import ALL_SETTINGS, Role
from harness.models.sentence_transformer import LocatedFolder
from harness.models.storage import encoding_settings, storage_settings
from harness.models.stored_model import LocatedStored

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sentence_transformers import SentenceTransformer

    from harness.models.interface import LocatedModel, ModelSpec, Settings
    from harness.models.sentence_transformer import SentenceModel

_METHODS = {Role.TEXT: "encode", Role.QUERY: "encode_query", Role.DOCUMENT: "encode_document"}
PROBES = (
    "The lease ends in June.",
    "Photosynthesis turns light into sugar.",
    "a",
    "Ein Vertrag über 3 Jahre",
)
"""Texts for which the live model and its saved copy must agree."""
LEAST_COSINE = 0.99
"""Minimum cosine between the two: half precision stays above 0.999, another model is far below."""


@dataclass(frozen=True)
class LocatedLive(LocatedFolder):
    """A live model that was saved, and fingerprinted as the folder that it is then."""

    live: SentenceTransformer | None = None

    def load(self) -> SentenceModel:
        """Load the saved copy; raises HarnessError where it embeds texts otherwise than the live model."""
        model = super().load()
        if self.live is not None:
            _refuse_another(self.live, model)
        return model


def locate_live(live: SentenceTransformer, spec: ModelSpec) -> LocatedModel:
    """Save a live model in the folder of a spec, and locate it there.

    Its fingerprint is that of any folder that it is saved in: modules, tensors, tokenizer and settings. The
    copy is what is evaluated, so that scores are those of the saved model, bit for bit: of the live one they
    would depend on dropout, autocast and padding.
    Raises HarnessError where it cannot be saved, or does not honor a setting.
    """
    folder = Path(spec.location)
    name = spec.name or _name_of(live)
    refuse_settings(spec, ALL_SETTINGS)
    try:
        with unchanged_modes(live):
            live.save_pretrained(str(folder), create_model_card=False)
    except Exception as error:
        raise HarnessError(
            f"model {name} cannot be saved, and so has no fingerprint: {type(error).__name__}: {error}",
            hint="pass its method instead of it: harness.evaluate({name: model.encode}, …)",
        ) from error
    located = LocatedLive.at(folder, replace(spec, settings=encoding_settings(spec.settings)), name)
    located = replace(located, live=live)
    if storage_settings(spec.settings) or located.truncate_dim is not None:
        return LocatedStored(located, spec)
    return located


def _name_of(live: SentenceTransformer) -> str:
    """Return the name of a live model: the last part of where it was loaded from, else its class."""
    card = getattr(live, "model_card_data", None)
    base = getattr(card, "model_name", None) or getattr(card, "base_model", None) or ""
    return str(base).rstrip("/").rpartition("/")[2] or type(live).__name__


@contextmanager
def unchanged_modes(live: SentenceTransformer) -> Iterator[None]:
    """Leave each module of a model in the mode, training or not, that it was in before the body."""
    modes = [(module, module.training) for module in live.modules()]
    try:
        yield
    finally:
        for module, training in modes:
            module.training = training


def _refuse_another(live: SentenceTransformer, copy: SentenceModel) -> None:
    """Raise HarnessError where a live model embeds texts otherwise than its saved copy, in any role.

    Both are asked as the settings say. A role that one of them refuses is refused when a task asks for it.
    """
    for role, name in _METHODS.items():
        ours = _embedded(live, name, role, copy.spec.settings)
        try:
            saved = copy.encode(PROBES, role)
        except HarnessError:
            continue
        if ours is not None and (how := _difference(ours, saved)):
            raise HarnessError(
                f"model {copy.name} embeds texts otherwise than the folder that it saves: {name}: {how}",
                exists="something is not saved with it, such as a replaced method, a hook or a subclass",
                hint="pass its method to evaluate what it does in memory: {name: model.encode}",
            )


def _embedded(live: SentenceTransformer, name: str, role: Role, settings: Settings) -> np.ndarray | None:
    """Return the live model's own embeddings of the probes, as the settings say; None where it raises."""
    kept, longest = live.truncate_dim, live.max_seq_length
    prompt = dict(settings.prompts).get(role)
    options = {} if prompt is None else {"prompt": prompt}
    with unchanged_modes(live):
        live.truncate_dim = None
        if settings.max_seq_length is not None:
            live.max_seq_length = settings.max_seq_length
        try:
            encode = getattr(live, name)
            return np.asarray(encode(list(PROBES), show_progress_bar=False, **options), dtype=np.float64)
        except Exception:  # noqa: BLE001 - the copy is what is evaluated, and says what is wrong
            return None
        finally:
            live.truncate_dim = kept
            if settings.max_seq_length is not None:
                live.max_seq_length = longest


def _difference(ours: np.ndarray, saved: np.ndarray) -> str | None:
    """Return how far embeddings of one model are from the other's; None where they agree."""
    if ours.shape != saved.shape:
        return f"{ours.shape[-1]} dimensions, saved {saved.shape[-1]}"
    lengths = np.linalg.norm(ours, axis=1), np.linalg.norm(saved, axis=1)
    zero = (lengths[0] == 0) & (lengths[1] == 0)
    cosines = (ours * saved).sum(axis=1) / np.maximum(lengths[0] * lengths[1], 1e-30)
    least = float(np.min(np.where(zero, 1.0, cosines)))
    return None if least >= LEAST_COSINE else f"1 − cos up to {1 - least:.2f}"
