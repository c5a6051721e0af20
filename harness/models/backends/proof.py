"""Proofs: what was found of a model when it was loaded, kept until something that it depends on changes.

Which backend is equal to `encode`, in which shapes an embedding depends on its text alone, and how many
threads are fastest, follow from the model's files, its settings, libraries, our code, the processor and the
cores at hand. A proof is filed under all of these. Reused, it must still give the same bits for a few texts.
"""

from __future__ import annotations

import hashlib
import importlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from harness.errors import HarnessError
from harness.models.backends.choose import choose
from harness.models.backends.precision import confirm, set_precision
from harness.models.backends.threads import ThreadLayout
from harness.models.backends.trial import PROBES, batch_finding, embed
from harness.models.computation import computation
from harness.models.interface import Deviation, Role, changed_settings
from harness.system.atomic import write_atomic
from harness.system.environment import cores

if TYPE_CHECKING:
    from harness.finding import Finding
    from harness.models.backends import Backend
    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import ModelSpec, Settings

_FORMAT = 1


class StaleProofError(Exception):
    """A kept proof does not hold any more: the model must be loaded and tried again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What a trial found; all of it follows from the key of its file."""

    backend: str
    notes: tuple[str, ...] = ()
    """Why faster backends were not taken."""
    shapes: dict[str, Any]
    """As `Backend.shapes` returns them."""
    reproducible: bool
    moved: float
    """Distance that other texts of a batch make to the model's own embeddings: see `Trial`."""
    pads_left: bool = False
    same_as: dict[str, str]
    """Role → the first one that is encoded alike."""
    refusals: dict[str, str]
    """Role → why the model's own methods cannot encode it."""
    deviation: Deviation | None = None
    """Of a lower precision."""
    bits: str = ""
    """SHA-256 of the embeddings of a few texts."""
    threads: tuple[int, int] | None = None
    """Workers and threads of each, once they were calibrated."""

    @property
    def finding(self) -> Finding | None:
        """The finding that the model depends on its batch; None where it does not."""
        return batch_finding(self.moved, pads_left=self.pads_left)


class ProofFile:
    """The file of a model's proof, in a folder; without a folder nothing is read or written.

    believe: whether a proof that is there is read; else it is made again.
    """

    def __init__(self, spec: ModelSpec, fingerprint: str, device: str, *, believe: bool = True) -> None:
        self.path: Path | None = None
        self._believe = believe
        if not spec.proofs:
            return
        self._key = {
            "format": _FORMAT,
            "fingerprint": fingerprint,
            "settings": changed_settings(spec.settings),
            "threads": spec.threads,
            "cores": cores(),
            **computation(device),
        }
        text = json.dumps(self._key, sort_keys=True)
        name = hashlib.sha256(text.encode()).hexdigest()[:12]
        self.path = Path(spec.proofs) / f"{fingerprint[:16]}-{name}.json"

    def read(self) -> Proof | None:
        """Return the proof; None where there is none, or none that can be read."""
        try:
            content = json.loads(self.path.read_bytes()) if self.path and self._believe else None
            if not isinstance(content, dict) or content.pop("seal", None) != _seal(content):
                return None
            return msgspec.convert(content["proof"], Proof)
        except (OSError, ValueError, KeyError, msgspec.ValidationError, RecursionError):
            return None

    def write(self, proof: Proof) -> None:
        """Keep a proof; where that is not possible, the next start tries the model again."""
        if self.path is None:
            return
        content = {"key": self._key, "proof": asdict(proof)}
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self.path, [json.dumps({**content, "seal": _seal(content)}, indent=1).encode()])
        except OSError:
            return


@dataclass(slots=True)
class Proved:
    """A backend that is proved equal to the model's own methods, and what else the trial found."""

    backend: Backend
    proof: Proof
    file: ProofFile

    @property
    def layout(self) -> ThreadLayout | None:
        """The threads that were fastest before; None where that was not measured."""
        return ThreadLayout(*self.proof.threads) if self.proof.threads else None

    def note_layout(self, layout: ThreadLayout) -> None:
        """Keep which threads were fastest."""
        self.proof = replace(self.proof, threads=(layout.workers, layout.per_worker))
        if self.proof.reproducible:
            self.file.write(self.proof)


def prove(model: BackendModel, settings: Settings, file: ProofFile) -> Proved:
    """Return the fastest backend that is equal to the public methods, by the kept proof or a trial.

    Only proofs of batch-invariant embeddings are kept: of others, the same bits could not be asked for.
    Raises StaleProofError where the kept one does not hold (the model is not usable then), and HarnessError
    as `choose`, `set_precision` and `confirm` do.
    """
    if (kept := file.read()) is not None:
        return _reuse(model, settings, kept, file)
    chosen = choose(model, settings.backend)
    trial = chosen.trial
    deviation = set_precision(chosen.backend, model, settings)
    reproducible = chosen.backend.make_batch_invariant()
    deviation = confirm(chosen.backend, model, settings, trial, deviation)
    proof = Proof(
        backend=chosen.backend.name,
        notes=chosen.notes,
        shapes=chosen.backend.shapes(),
        reproducible=reproducible,
        moved=trial.moved,
        pads_left=trial.pads_left,
        same_as={str(role): str(model.same_as(role)) for role in Role},
        refusals={str(role): reason for role, reason in model.refusals.items()},
        deviation=deviation,
        bits=_bits(chosen.backend, model) if reproducible and file.path else "",
    )
    if reproducible:
        file.write(proof)
    return Proved(chosen.backend, proof, file)


def _reuse(model: BackendModel, settings: Settings, proof: Proof, file: ProofFile) -> Proved:
    """Return the backend of a proof, once a few texts have the bits that they had."""
    try:
        model.assume(
            {Role(role): Role(same) for role, same in proof.same_as.items()},
            {Role(role): reason for role, reason in proof.refusals.items()},
            depends_on_batch=proof.finding is not None,
        )
        module = importlib.import_module(f"harness.models.backends.{proof.backend}")
        backend: Backend = module.open_backend(model)
        if settings.dtype != "float32":
            backend.set_dtype(settings.dtype)
        backend.use_shapes(proof.shapes)
        if _bits(backend, model) == proof.bits:
            return Proved(backend, proof, file)
    except HarnessError:
        raise
    except Exception:  # noqa: BLE001, S110 - whatever fails now did not fail when it was proved: try again
        pass
    raise StaleProofError


def _bits(backend: Backend, model: BackendModel) -> str:
    """Return the SHA-256 of the embeddings of a few texts in every role that the model has."""
    roles = [role for role in Role if model.same_as(role) is role and role not in model.refusals]
    found = [embed(backend, PROBES, model.dimensions, role).tobytes() for role in roles]
    return hashlib.sha256(b"".join(found)).hexdigest()


def _seal(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
