"""Models that sentence-transformers loads: a folder, and what runs in it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.encode import Batch, batches
from harness.errors import HarnessError
from harness.fingerprint import check_folder, fingerprint_folder, weights_size, with_settings
from harness.interfaces import ModelFacts, ModelSpec, Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import torch
    from sentence_transformers import SentenceTransformer

EQUAL = {"float32": 1e-6, "bfloat16": 1e-3, "float16": 1e-3}
"""Largest 1 − cosine between our batches and `encode` at which they count as the same embeddings."""
_LONGEST_PROBE = 512
"""Tokens of the longest probe at most: the usual limit, and still quick where a model reads thousands."""

_PROBES = (
    "",
    "A short text.",
    "Two people are walking a dog along the beach in the rain.",
    "The tenant shall return the keys, and the landlord shall return the deposit within ten days. " * 3,
    "Ünïcode — 漢字, emoji 🙂 and numbers 3.14",
)


@dataclass(frozen=True)
class LocatedFolder:
    """A model folder that was checked and fingerprinted."""

    name: str
    fingerprint: str
    spec: ModelSpec
    folder: Path

    @classmethod
    def at(cls, folder: Path, spec: ModelSpec, name: str) -> LocatedFolder:
        """Check and fingerprint a folder; raises HarnessError for one that must not or cannot be loaded."""
        check_folder(folder, spec.settings)
        return cls(spec.name or name, with_settings(fingerprint_folder(folder), spec.settings), spec, folder)

    def load(self) -> SentenceModel:
        """Load it through sentence-transformers; raises HarnessError with its reason where that fails."""
        settings = self.spec.settings
        device = _device(settings.device)
        try:
            loaded = _load(self.folder, device, trust_remote_code=settings.trust_remote_code)
        except Exception as error:
            raise HarnessError(
                f"model {self.name} cannot be loaded from {self.folder}: {type(error).__name__}: {error}",
                hint="is the folder complete? sentence-transformers itself must be able to load it",
            ) from error
        return SentenceModel(loaded, self)


class SentenceModel:
    """A SentenceTransformer as the harness uses it: float32 out, shapes fixed by each text's own length.

    Where the architecture allows, and a check against `encode` confirms it, batches are of the fixed
    shapes of `harness.encode` (`facts.encoder` is "batched"); otherwise texts go through
    sentence-transformers' own `encode` ("plain").
    """

    def __init__(self, model: SentenceTransformer, located: LocatedFolder) -> None:
        import torch

        self.name, self.fingerprint, self.spec = located.name, located.fingerprint, located.spec
        settings = self.spec.settings
        self._prompts = dict(settings.prompts)
        self._model = model.to(getattr(torch, settings.dtype)).eval()
        self._limit_length(settings.max_seq_length)
        self._truncated = self._limit_dimensions(settings.truncate_dim)
        self._batched = self._can_batch() and self._batches_equal_encode()
        self.facts = ModelFacts(
            dimensions=settings.truncate_dim or _full_dimensions(model),
            similarity=str(model.similarity_fn_name),
            parameters=sum(parameter.numel() for parameter in model.parameters()),
            max_tokens=self._max_tokens(),
            size_bytes=weights_size(located.folder),
            device=model.device.type,
            encoder="batched" if self._batched else "plain",
        )

    def encode(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray:
        """One float32 row per text, (len(texts), dimensions), in input order."""
        if not len(texts):
            return np.zeros((0, self.facts.dimensions), dtype=np.float32)
        embeddings = self._encode_batched(texts, role) if self._batched else self._encode_plain(texts, role)
        return self._truncate(embeddings)

    def similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity function: (n, m) float32."""
        return self._model.similarity(a, b).numpy()

    def pairwise_similarity(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """The model's own similarity function: (n,) float32."""
        return self._model.similarity_pairwise(a, b).numpy()

    def count_tokens(self, texts: Sequence[str], role: Role = Role.TEXT) -> np.ndarray | None:
        """Tokens of each text before any cut; None where the tokenizer is not of the transformers library."""
        from transformers import PreTrainedTokenizerBase

        tokenizer = self._model.tokenizer
        if not isinstance(tokenizer, PreTrainedTokenizerBase):
            return None
        prompt = self._prompt(role)
        whole = [prompt + text for text in texts]
        ids = tokenizer(whole, truncation=False, padding=False, verbose=False)["input_ids"] if whole else []
        return np.fromiter((len(row) for row in ids), dtype=int, count=len(whole))

    def same_as(self, role: Role) -> Role:
        """TEXT for a role that has the same prompt and no route of its own."""
        from sentence_transformers.base.modules import Router

        routed = isinstance(self._model[0], Router) or self._has_role_lengths()
        return role if routed or self._prompt(role) != self._prompt(Role.TEXT) else Role.TEXT

    def _prompt(self, role: Role) -> str:
        """The user's prompt of a role, else the model's, chosen as encode_query and encode_document do."""
        if role in self._prompts:
            return self._prompts[role]
        own = {name: prompt for name, prompt in self._model.prompts.items() if prompt}
        names = {Role.QUERY: ["query"], Role.DOCUMENT: ["document", "passage", "corpus"], Role.TEXT: []}[role]
        default = own.get(self._model.default_prompt_name or "", "")
        return next((own[name] for name in names if name in own), default)

    def _encode_plain(self, texts: Sequence[str], role: Role) -> np.ndarray:
        embeddings = self._model.encode(
            list(texts),
            prompt=self._prompt(role),
            convert_to_tensor=True,
            show_progress_bar=False,
            **_task(role),
        )
        return _float32(embeddings)

    def _encode_batched(self, texts: Sequence[str], role: Role) -> np.ndarray:
        tokens = self.count_tokens(texts, role)
        most = self._max_tokens()
        lengths = np.minimum(tokens, most or np.inf).astype(int)  # type: ignore[arg-type]
        embeddings = np.empty((len(texts), _full_dimensions(self._model)), dtype=np.float32)
        for batch in batches(lengths.tolist(), most):
            embeddings[batch.rows] = self._forward([texts[row] for row in batch.rows], batch, role)
        return embeddings

    def _forward(self, texts: list[str], batch: Batch, role: Role) -> np.ndarray:
        import torch
        from sentence_transformers.util import batch_to_device

        with torch.inference_mode():
            features = self._model.preprocess(texts, prompt=self._prompt(role) or None, **_task(role))
            padded = _pad(features, batch, self._model.tokenizer.pad_token_id)
            output = self._model(batch_to_device(padded, self._model.device), **_task(role))
        return _float32(output["sentence_embedding"])[: len(texts)]

    def _can_batch(self) -> bool:
        """Whether inputs are plain token matrices, to which rows and columns of padding can be added."""
        import torch
        from sentence_transformers.base.modules import Transformer
        from transformers import PreTrainedTokenizerBase

        tokenizer = self._model.tokenizer
        if not isinstance(self._model[0], Transformer) or not isinstance(tokenizer, PreTrainedTokenizerBase):
            return False
        if tokenizer.padding_side != "right" or tokenizer.pad_token_id is None or self._has_role_lengths():
            return False
        features = self._model.preprocess(list(_PROBES))
        tensors = [value for value in features.values() if torch.is_tensor(value)]
        shapes = {tensor.shape for tensor in tensors}
        return "attention_mask" in features and shapes == {features["input_ids"].shape}

    def _batches_equal_encode(self) -> bool:
        """Compare our batches with `encode` on a few texts and a longest, for each role that differs."""
        longest = "word " * min(self._max_tokens() or 0, _LONGEST_PROBE)
        roles = {self.same_as(role) for role in Role}
        return all(self._equals_encode(texts, role) for role in roles for texts in (_PROBES, [longest]))

    def _equals_encode(self, texts: Sequence[str], role: Role) -> bool:
        ours, theirs = self._encode_batched(texts, role), self._encode_plain(texts, role)
        norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
        off = np.abs(np.einsum("ij,ij->i", ours, theirs) - norms)
        return bool((off <= EQUAL[self.spec.settings.dtype] * norms).all())

    def _has_role_lengths(self) -> bool:
        first = self._model[0]
        return any(getattr(first, name, None) is not None for name in ("query_length", "document_length"))

    def _max_tokens(self) -> int | None:
        limit = self._model.max_seq_length
        return int(limit) if limit is not None and limit < 1_000_000 else None

    def _limit_length(self, tokens: int | None) -> None:
        """Cut texts after so many tokens, or its own limit; raises HarnessError for more than it can read."""
        positions = _positions(self._model)
        if tokens is not None:
            config = getattr(self._model.transformers_model, "config", None)
            positions = positions or getattr(config, "max_position_embeddings", None)
            self._model.max_seq_length = tokens
        limit = self._max_tokens()
        if limit is not None and positions is not None and limit > positions:
            asked = "its own max_seq_length," if tokens is None else "--max-seq-length"
            raise HarnessError(
                f"model {self.name} has {positions} positions: {asked} {limit} is too long",
                hint=f"--max-seq-length {positions} is the most",
            )

    def _limit_dimensions(self, dimensions: int | None) -> int | None:
        full = _full_dimensions(self._model)
        if dimensions is not None and not 0 < dimensions <= full:
            raise HarnessError(
                f"model {self.name} has {full} dimensions: --truncate-dim {dimensions} is impossible"
            )
        return dimensions

    def _truncate(self, embeddings: np.ndarray) -> np.ndarray:
        """Keep the first dimensions, of length 1 again where the model's own embeddings are."""
        from sentence_transformers.sentence_transformer.modules import Normalize

        if self._truncated is None:
            return embeddings
        kept = embeddings[:, : self._truncated]
        if not any(isinstance(module, Normalize) for module in self._model):
            return kept
        unit: np.ndarray = kept / np.maximum(np.linalg.norm(kept, axis=1, keepdims=True), 1e-12)
        return unit


def _load(folder: Path, device: str, *, trust_remote_code: bool) -> SentenceTransformer:
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    return SentenceTransformer(
        str(folder), device=device, trust_remote_code=trust_remote_code, local_files_only=True
    )


def _device(requested: str) -> str:
    import torch
    from sentence_transformers.util import get_device_name

    if requested == "auto":
        return str(get_device_name())
    kind = requested.partition(":")[0]
    present = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if not present.get(kind, False):
        usable = ", ".join(name for name, there in present.items() if there)
        raise HarnessError(f"no device {requested!r} on this machine", exists=f"there: {usable}")
    return requested


def _task(role: Role) -> dict[str, Any]:
    """Say what the texts are to asymmetric models; symmetric ones are not told."""
    return {} if role is Role.TEXT else {"task": str(role)}


def _pad(features: dict[str, Any], batch: Batch, pad_token: int) -> dict[str, Any]:
    """Fill a batch up to its fixed shape; an added row attends to one padding token, to stay finite."""
    from torch.nn.functional import pad

    rows, columns = features["input_ids"].shape
    extra = (0, max(0, batch.width - columns), 0, batch.height - rows)
    padded = dict(features)
    for name, value in features.items():
        if hasattr(value, "shape"):
            padded[name] = pad(value, extra, value=pad_token if name == "input_ids" else 0)
    padded["attention_mask"][rows:, 0] = 1
    return padded


def _float32(embeddings: torch.Tensor) -> np.ndarray:
    array: np.ndarray = embeddings.float().cpu().numpy()
    return array


def _positions(model: SentenceTransformer) -> int | None:
    """Tokens that the model has learned positions for; None where it has no such table.

    RoBERTa and its kin count from behind the padding's position, and say so by the table's `padding_idx`.
    """
    from torch.nn import Embedding

    tables = [
        table
        for name, table in model.named_modules()
        if name.rpartition(".")[2] == "position_embeddings" and isinstance(table, Embedding)
    ]
    usable = [
        table.num_embeddings - (0 if table.padding_idx is None else table.padding_idx + 1) for table in tables
    ]
    return min(usable, default=None)


def _full_dimensions(model: SentenceTransformer) -> int:
    dimensions = model.get_embedding_dimension()
    return int(dimensions) if dimensions is not None else int(model.encode(["dimensions"]).shape[1])
