"""The trial of a model when it is loaded: what sentence-transformers' public methods make of a few texts.

Each text is encoded alone, as `encode([text])` does, which is what every backend is held against, and with
the others in one batch. Where these differ, it is the model that depends on its batch, and no backend is to
blame: `Trial.finding` says so. Everything runs on the device in use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import HarnessError
from harness.finding import Finding, Severity
from harness.models.interface import Role
from harness.system.environment import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.models.backends import Backend
    from harness.models.backends.backend_model import BackendModel

EQUAL = 1e-6
"""Maximum 1 − cosine to `encode`, in float32, at which embeddings of one length count as the same."""
_ALIKE = 1e-9
"""Maximum 1 − cosine of two roles that are encoded in the same shapes, if they are the same."""
_LONGEST_PROBE = 512
"""Maximum tokens of the longest probe: the usual limit, and still quick where a model reads thousands."""

PROBES = (
    "",
    "A short text.",
    "Two people are walking a dog along the beach in the rain.",
    "The tenant shall return the keys, and the landlord shall return the deposit within ten days. " * 3,
    "Ünïcode — 漢字, emoji 🙂 and numbers 3.14",
)
_FEW = PROBES[1:3]


@dataclass(frozen=True, slots=True)
class Trial:
    """Embeddings of the public methods, for each role that a model treats differently."""

    texts: Sequence[str]
    expected: Mapping[Role, np.ndarray]
    """Embeddings of each text alone: (texts, dimensions) float32."""
    moved: float
    """Largest distance of a text in a batch from the same text alone, see `largest_distance`."""
    pads_left: bool = False

    @property
    def depends_on_batch(self) -> bool:
        """Whether the model's own embeddings depend on the other texts of a batch."""
        return not self.moved <= EQUAL

    def distance(self, backend: Backend) -> float:
        """Return the largest distance of a backend's embeddings from the expected ones, over all roles."""
        return float(
            np.max(
                [
                    largest_distance(embed(backend, self.texts, rows.shape[1], role), rows)
                    for role, rows in self.expected.items()
                ]
            )
        )

    def deviation(self, backend: Backend) -> float:
        """Return the largest 1 − cosine of a backend in lower precision, in [0, 2], over all roles.

        Texts whose expected embedding has no direction are left out; embeddings that are not finite deviate
        by 2.
        """
        largest = 0.0
        for role, rows in self.expected.items():
            wide = rows.astype(np.float64)
            lengths = np.linalg.norm(wide, axis=1)
            kept = np.isfinite(lengths) & (lengths > 0)
            ours = embed(backend, self.texts, rows.shape[1], role)[kept].astype(np.float64)
            with np.errstate(divide="ignore", invalid="ignore"):
                cosine = np.einsum("ij,ij->i", ours, wide[kept]) / lengths[kept]
                cosine /= np.linalg.norm(ours, axis=1)
            largest = max(largest, *np.nan_to_num(1 - cosine, nan=2.0, posinf=2.0).clip(0, 2), 0.0)
        return largest


def batch_finding(moved: float, *, pads_left: bool) -> Finding | None:
    """Return the finding that a model depends on its batch; None where it does not.

    moved: as `Trial` has it.
    """
    if moved <= EQUAL:
        return None
    size = f"1 − cos up to {moved:.1e}" if np.isfinite(moved) else "not finite"
    why = ": its tokenizer pads on the left" if pads_left else ""
    repair = 'Set padding_side to "right" in tokenizer_config.json; ' if pads_left else ""
    return Finding(
        "depends-on-batch",
        Severity.WARNING,
        f"the model's own encode gives a text another embedding beside longer texts than alone ({size})"
        f"{why}; here every text is encoded as it is alone",
        f"{repair}as it is, encode with batch_size=1 gives the embeddings that were scored.",
    )


def try_model(model: BackendModel) -> Trial:
    """Encode a few texts with the public method of each role that the model treats differently.

    Notes in the model which roles are different after all, which its own methods refuse (as a router without
    their route does), and whether it depends on its batch.
    Raises what the last method raised where all are refused, and HarnessError where dimensions are not as
    declared.
    """
    texts = _probes(model)
    expected: dict[Role, np.ndarray] = {}
    moved = [0.0]
    for role in Role:
        if model.same_as(role) is not role:
            if _is_alike(model, role):
                continue
            model.set_apart(role)
        try:
            together = model.public.encode(texts, role)
        except Exception as error:
            if is_out_of_memory(error):
                raise
            model.refusals[role] = f"{type(error).__name__}: {error}"
            if role is list(Role)[-1] and not expected:
                raise
            continue
        expected[role] = _each_alone(model, texts, role, together)
        moved.append(_batch_effect(together, expected[role]))
    _check_dimensions(model)
    tokenizer = model.tokenizer
    trial = Trial(
        texts, expected, float(np.max(moved)), tokenizer is not None and tokenizer.padding_side == "left"
    )
    model.depends_on_batch = trial.depends_on_batch
    return trial


def embed(backend: Backend, texts: Sequence[str], dimensions: int, role: Role = Role.TEXT) -> np.ndarray:
    """Run all batches one after another; return (n, dimensions) float32."""
    embeddings = np.empty((len(texts), dimensions), dtype=np.float32)
    for batch in backend.batches(texts, role):
        embeddings[batch.rows] = backend.run(batch)
    return embeddings


def largest_distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    """Return the largest ‖a − b‖² / 2‖b‖² over rows: 1 − cosine for equal lengths, more for others.

    0 for two zero rows, infinity where only theirs is zero, NaN where one is not finite.
    """
    off = (np.linalg.norm(ours.astype(np.float64) - theirs, axis=1) ** 2) / 2
    size = np.linalg.norm(theirs.astype(np.float64), axis=1) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.max(np.where(off == 0, 0.0, off / size)))


def _probes(model: BackendModel) -> list[str]:
    """Return texts of different lengths, one of them as long as the model reads, or nearly."""
    longest = max(_LONGEST_PROBE, model.rescaled_beyond + 8)
    return [*PROBES, "word " * min(model.max_tokens or longest, longest)]


def _is_alike(model: BackendModel, role: Role) -> bool:
    """Check with a few texts that a role's method gives what that of the role it should equal does."""
    same = model.same_as(role)
    if same in model.refusals:
        return False
    try:
        own = model.public.encode(_FEW, role)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        return False  # the trial of the role then says why
    return largest_distance(own, model.public.encode(_FEW, same)) <= _ALIKE


def _each_alone(model: BackendModel, texts: list[str], role: Role, together: np.ndarray) -> np.ndarray:
    """Return the embeddings of texts encoded one by one.

    Those of the batch for a text that cannot be encoded alone: an empty one may have no token at all.
    """
    rows = []
    for text, beside_others in zip(texts, together, strict=True):
        try:
            rows.append(model.public.encode([text], role)[0])
        except Exception as error:
            if is_out_of_memory(error):
                raise
            rows.append(beside_others)
    return np.stack(rows)


def _batch_effect(together: np.ndarray, alone: np.ndarray) -> float:
    """Return the largest distance that a batch makes; rows that are not finite in both ways are the same."""
    broken = ~np.isfinite(together).all(axis=1), ~np.isfinite(alone).all(axis=1)
    if (broken[0] != broken[1]).any():
        return float("inf")
    kept = ~broken[0]
    return largest_distance(together[kept], alone[kept]) if kept.any() else 0.0


def _check_dimensions(model: BackendModel) -> None:
    """Raise HarnessError unless the last module returns as many numbers as the model declares."""
    role = next(role for role in Role if role not in model.refusals)
    with model.sentence_transformer.truncate_embeddings(None):
        found = model.public.encode(_FEW[:1], role).shape[1]
    if found != model.dimensions:
        raise HarnessError(
            f"model {model.name} declares {model.dimensions} dimensions, but its embeddings have {found}",
            hint="its folder combines the files of two models, or was edited",
        )
