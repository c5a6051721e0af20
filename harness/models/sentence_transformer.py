"""Models that sentence-transformers loads: located in a folder, then loaded."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from harness.errors import HarnessError
from harness.models.backends.backend_model import BackendModel
from harness.models.backends.proof import Proof, ProofFile, StaleProofError, prove
from harness.models.backends.threads import ThreadLayout, Workers
from harness.models.configuration import (
    configured_dimensions,
    dimensions_of,
    unknown_similarity,
    unused_prompts,
)
from harness.models.devices import device_of
from harness.models.fingerprint import (
    fingerprint_model,
    fingerprint_with_settings,
    weights_size,
)
from harness.models.interface import ModelFacts, ModelSpec, Role
from harness.models.loading import load_folder, loading_error
from harness.models.trust.check import check_folder
from harness.system.environment import is_out_of_memory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sentence_transformers import SentenceTransformer

    from harness.finding import Finding
    from harness.models.backends import Batch

_WORTH_CALIBRATING = 8
"""Minimum number of batches for which a calibration of threads pays off."""


@dataclass(frozen=True)
class LocatedFolder:
    """A model folder that was checked and fingerprinted."""

    name: str
    fingerprint: str
    spec: ModelSpec
    folder: Path

    @classmethod
    def at(cls, folder: Path, spec: ModelSpec, name: str) -> Self:
        """Check and fingerprint a folder; raises HarnessError for one that must not or cannot be loaded."""
        check_folder(folder, spec.settings)
        return cls(
            spec.name or name,
            fingerprint_with_settings(fingerprint_model(folder), spec.settings),
            spec,
            folder,
        )

    @property
    def truncate_dim(self) -> int | None:
        """Dimensions that its configuration keeps, None for all; raises as `configured_dimensions`."""
        return configured_dimensions(self.folder, self.name)

    @property
    def dimensions(self) -> int | None:
        """Dimensions of its full embeddings by its configurations; None where they do not say."""
        return dimensions_of(self.folder)

    def load(self) -> SentenceModel:
        """Load it with sentence-transformers; raises HarnessError with the reason where that fails."""
        settings = self.spec.settings
        device = device_of(settings.device)
        try:
            model, findings = load_folder(self.folder, device, settings)
            self._check_unchanged()
            try:
                return SentenceModel(model, self, findings)
            except StaleProofError:  # its weights may be in another precision by now
                model, _ = load_folder(self.folder, device, settings)
                return SentenceModel(model, self, findings, believe_proof=False)
        except HarnessError:
            raise
        except Exception as error:
            raise loading_error(error, self.name, self.folder) from error

    def _check_unchanged(self) -> None:
        """Raise HarnessError where the files are not those that were fingerprinted."""
        now = fingerprint_with_settings(fingerprint_model(self.folder), self.spec.settings)
        if now != self.fingerprint:
            raise HarnessError(
                f"model {self.name} was changed while it was loaded: {self.folder}",
                exists=f"fingerprint {self.fingerprint[:12]} when the run began, {now[:12]} now",
                hint="run again when nothing writes to the folder; nothing was evaluated or cached",
            )


class SentenceModel:
    """A SentenceTransformer that returns float32, through the fastest backend equal to its public methods.

    `facts.backend` names the backend (`models.backends`), `facts.notes` says why a faster one was not taken.
    `workers` spreads batches over threads, which changes no bit of an embedding.
    """

    def __init__(
        self,
        model: SentenceTransformer,
        located: LocatedFolder,
        findings: tuple[Finding, ...] = (),
        *,
        believe_proof: bool = True,
    ) -> None:
        self.name, self.fingerprint, self.spec = located.name, located.fingerprint, located.spec
        settings = self.spec.settings
        if settings.similarity is not None:
            model.similarity_fn_name = settings.similarity  # type: ignore[assignment] # checked in `locate`
        model.truncate_dim = None  # embeddings are encoded in full: see `models.stored_model`
        self._model = BackendModel(model, settings, self.name)
        file = ProofFile(self.spec, self.fingerprint, model.device.type, believe=believe_proof)
        self._proved = prove(self._model, settings, file)
        self.backend, proof = self._proved.backend, self._proved.proof
        self.workers = Workers(
            self.spec.threads, divisible=self.backend.divisible, layout=self._proved.layout
        )
        self.facts = ModelFacts(
            dimensions=self._model.dimensions,
            similarity=str(model.similarity_fn_name),
            dtype=settings.dtype,
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            max_tokens=self._model.max_tokens,
            size_bytes=weights_size(located.folder),
            device=model.device.type,
            backend=self.backend.name,
            reproducible=proof.reproducible,
            notes=proof.notes,
            deviation=proof.deviation,
            findings=(*findings, *_findings(self._model, located, proof)),
        )

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """Return one float32 row per text, (len(texts), dimensions), in input order.

        Raises HarnessError for a role that the model's own methods refuse.
        """
        return self.encode_and_count(texts, role)[0]

    def encode_and_count(self, texts: Sequence[str], role: Role = Role.TEXT) -> tuple[np.ndarray, np.ndarray]:
        """Return what `encode` does, and what `count_tokens` would, of the same pass: (n,) int32.

        -1 for a text that was not counted on the way. Raises as `encode` does.
        """
        if role in self._model.refusals:
            raise HarnessError(
                f"model {self.name} cannot encode texts of role {role}: {self._model.refusals[role]}",
                hint="sentence-transformers' own method fails likewise: see the routes of its modules",
            )
        embeddings = np.empty((len(texts), self._model.dimensions), dtype=np.float32)
        tokens = np.full(len(texts), -1, dtype=np.int32)
        batches = self.backend.batches(texts, role) if len(texts) else iter(())
        for batch, rows in self._run_batches(batches, lambda batch: self._run_or_halve(batch, texts, role)):
            embeddings[batch.rows] = rows
            if batch.tokens is not None:
                tokens[batch.rows] = batch.tokens
        return embeddings, tokens

    @property
    def threads(self) -> ThreadLayout:
        """How batches are spread over threads, and how that was chosen; one worker if they run one by one."""
        layout, how = self.workers.layout, self.workers.how
        if self.backend.parallel:
            return ThreadLayout(layout.workers, layout.per_worker, how)
        return ThreadLayout(1, layout.workers * layout.per_worker, how)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of the model's own function: (n, m) float32."""
        return self._model.sentence_transformer.similarity(a, b).numpy()

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Return similarities of the model's own function: (n,) float32."""
        return self._model.sentence_transformer.similarity_pairwise(a, b).numpy()

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Return the tokens of each text before any cut; None where the tokenizer is not of transformers."""
        return self._model.count_tokens(texts, role)

    def padded_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> int | None:
        """Return the tokens computed for texts, padding included; None where the backend does not say."""
        padded = [batch.padded for batch in self.backend.batches(texts, role)] if len(texts) else []
        return None if None in padded else sum(tokens for tokens in padded if tokens is not None)

    def same_as(self, role: Role) -> Role:
        """Return the first role with the same prompt and route, which may be the role itself."""
        return self._model.same_as(role)

    def _run_batches(
        self, batches: Iterator[Batch], run: Callable[[Batch], np.ndarray]
    ) -> Iterator[tuple[Batch, np.ndarray]]:
        """Run batches on the workers, after a calibration of threads where there are enough batches."""
        first = list(itertools.islice(batches, _WORTH_CALIBRATING))
        if self.backend.parallel and len(first) == _WORTH_CALIBRATING and self.workers.needs_calibration:
            typical = first[len(first) // 2]
            self.workers.calibrate(lambda: run(typical))
            self._proved.note_layout(self.workers.layout)
        alone = not self.backend.parallel or len(first) == 1
        return self.workers.map(run, itertools.chain(first, batches), alone=alone)

    def _run_or_halve(self, batch: Batch, texts: Sequence[str], role: Role) -> np.ndarray:
        """Run a batch, or its halves where memory is short; raises HarnessError for a single text."""
        import torch

        try:
            return self.backend.run(batch)
        except Exception as error:
            if not is_out_of_memory(error):
                raise
            if len(batch.rows) == 1:
                raise HarnessError(
                    f"not enough memory for {self.name} to encode a text of"
                    f" {len(texts[batch.rows[0]])} characters ({self.facts.device})",
                    hint="try another --device, --dtype bfloat16, or a shorter --max-seq-length",
                ) from error
        torch.cuda.empty_cache()
        embeddings = np.empty((len(batch.rows), self._model.dimensions), dtype=np.float32)
        middle = len(batch.rows) // 2
        for half in (range(middle), range(middle, len(batch.rows))):
            part = [texts[batch.rows[position]] for position in half]
            for smaller in self.backend.batches(part, role):
                embeddings[[half[row] for row in smaller.rows]] = self._run_or_halve(smaller, part, role)
        return embeddings


def _findings(model: BackendModel, located: LocatedFolder, proof: Proof) -> Iterator[Finding]:
    """Yield what is doubtful about a model: its batches, prompts and similarity."""
    if (dependent := proof.finding) is not None:
        yield dependent
    yield from unused_prompts(model)
    yield from unknown_similarity(located.folder, located.spec.settings)
