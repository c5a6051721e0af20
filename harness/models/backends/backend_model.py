"""A SentenceTransformer with the user's prompts and limits: the model that backends run."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.errors import HarnessError
from harness.models.backends.reference import PublicMethods, as_float32
from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import torch
    from sentence_transformers import SentenceTransformer
    from transformers import PreTrainedTokenizerBase

    from harness.models.interface import Settings


class BackendModel:
    """A model in memory: its tokenizer, prompts, limits, and one forward pass.

    Raises HarnessError for a maximum length beyond its positions, or dimensions that it does not have.
    """

    def __init__(self, model: SentenceTransformer, settings: Settings, name: str) -> None:
        self.sentence_transformer = model.float().eval()
        self.name = name
        self._attention = _attention(model)
        self._tokenizing = threading.Lock()
        """Tokenizers keep padding and truncation as state, which threads would change for each other."""
        self._limit_length(settings.max_seq_length)
        self.dimensions = _full_dimensions(model)
        """Numbers that the last module returns."""
        self.chosen_prompts = dict(settings.prompts)
        """The user's prompts: role → prompt."""
        self.public = PublicMethods(model, settings)
        self._same_as = {role: self._first_alike(role) for role in Role}
        self.depends_on_batch = False
        """Whether its own `encode` gives a text another embedding beside longer ones: see `trial`."""
        self.refusals: dict[Role, str] = {}
        """Roles that its own methods cannot encode, and why."""

    @property
    def tokenizer(self) -> PreTrainedTokenizerBase | None:
        """Its tokenizer; None where that is not of the transformers library."""
        from transformers import PreTrainedTokenizerBase

        tokenizer = self.sentence_transformer.tokenizer
        return tokenizer if isinstance(tokenizer, PreTrainedTokenizerBase) else None

    @property
    def dtype(self) -> torch.dtype:
        """Data type of its weights."""
        return next(self.sentence_transformer.parameters()).dtype

    @property
    def max_tokens(self) -> int | None:
        """Tokens after which a text is cut; None where there is no limit."""
        limit = self.sentence_transformer.max_seq_length
        return int(limit) if limit is not None and limit < 1_000_000 else None

    @property
    def cuts_by_role(self) -> bool:
        """Whether queries or documents have a length limit of their own."""
        first = self.sentence_transformer[0]
        return any(getattr(first, name, None) is not None for name in ("query_length", "document_length"))

    @property
    def remembers_lengths(self) -> bool:
        """Whether positions are rescaled by the longest text so far: an embedding then depends on history."""
        config = getattr(self.sentence_transformer.transformers_model, "config", None)
        rope = str(getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None))
        return "dynamic" in rope or "longrope" in rope

    @property
    def rescaled_beyond(self) -> int:
        """Tokens beyond which a model that `remembers_lengths` rescales its positions; 0 for others."""
        config = getattr(self.sentence_transformer.transformers_model, "config", None)
        rope = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
        limits = (
            rope.get("original_max_position_embeddings") if isinstance(rope, dict) else None,
            getattr(config, "original_max_position_embeddings", None),
            getattr(config, "max_position_embeddings", None),
        )
        return next((int(limit) for limit in limits if limit), 0) if self.remembers_lengths else 0

    def prompt(self, role: Role) -> str:
        """Return the user's prompt of a role, else the one that its public method chooses."""
        return self.public.input_of(role).prompt

    def same_as(self, role: Role) -> Role:
        """Return the first role with the same prompt and route, which may be the role itself."""
        return self._same_as[role]

    def set_apart(self, role: Role) -> None:
        """Note that a role is encoded as no other."""
        self._same_as = {other: role if other is role else same for other, same in self._same_as.items()}

    def assume(
        self, same_as: Mapping[Role, Role], refusals: Mapping[Role, str], *, depends_on_batch: bool
    ) -> None:
        """Take over what an earlier trial of the same model found."""
        self._same_as, self.refusals = dict(same_as), dict(refusals)
        self.depends_on_batch = depends_on_batch

    def count_tokens(self, texts: Sequence[str], role: Role) -> np.ndarray | None:
        """Return the tokens of each text before any cut, prompt and special tokens included.

        Shape (n,); None if unknown.
        """
        if self.tokenizer is None:
            return None
        if not texts:
            return np.zeros(0, dtype=int)
        whole = [self.prompt(role) + text for text in texts]
        with self._tokenizing:
            ids = self.tokenizer(
                whole,
                padding=False,
                truncation=False,
                verbose=False,
                return_attention_mask=False,
                return_token_type_ids=False,
            )["input_ids"]
        return np.fromiter((len(row) for row in ids), dtype=int, count=len(whole))

    def features(self, texts: Sequence[str], role: Role) -> dict[str, Any]:
        """Return the model's input for texts: tensors (n, longest), padded, cut, with their prompt."""
        given = self.public.input_of(role)
        with self._tokenizing:
            features: dict[str, Any] = self.sentence_transformer.preprocess(
                list(texts), prompt=given.prompt or None, **given.options
            )
        return features

    def forward(self, features: dict[str, Any], role: Role) -> np.ndarray:
        """Run all modules once; return float32 embeddings on the host, so a device has finished by then."""
        import torch

        device = self.sentence_transformer.device
        # A copy: modules write into what they are given, and a calibration runs one batch many times at once.
        own = {name: _to_device(value, device) for name, value in features.items()}
        with torch.inference_mode():
            output = self.sentence_transformer(own, **self.public.input_of(role).options)
            return self.finish(output["sentence_embedding"])

    def finish(self, embeddings: torch.Tensor) -> np.ndarray:
        """Return the last module's output, in full: (n, dimensions) float32 on the host."""
        return as_float32(embeddings)

    def encode(self, texts: Sequence[str], role: Role) -> np.ndarray:
        """Return embeddings of the role's public method, (n, dimensions) float32.

        Each text is encoded alone where the model depends on its batch.
        """
        return self.public.encode(texts, role, alone=self.depends_on_batch)

    @property
    def attention(self) -> str | None:
        """Name of its attention in transformers; None where there is no transformer."""
        return _attention(self.sentence_transformer)

    def set_attention(self, name: str) -> None:
        """Select another implementation of attention, by its name in transformers."""
        transformer = self.sentence_transformer.transformers_model
        if transformer is not None:
            transformer.set_attn_implementation(name)

    def restore_attention(self) -> None:
        """Restore the model's own attention after a backend replaced it and failed."""
        if self._attention is not None and _attention(self.sentence_transformer) != self._attention:
            self.set_attention(self._attention)

    def _first_alike(self, role: Role) -> Role:
        """Return the first role of the same prompt, unless the model treats roles in ways of their own."""
        if self._routes_by_role():
            return role
        return next(other for other in Role if self.prompt(other) == self.prompt(role))

    def _routes_by_role(self) -> bool:
        """Whether a module says that it looks at the role; others are found in the trial."""
        first = self.sentence_transformer[0]
        expands = getattr(first, "query_expansion", None) is not None
        return "task" in self.sentence_transformer.get_model_kwargs() or self.cuts_by_role or expands

    def _limit_length(self, tokens: int | None) -> None:
        """Cut texts after so many tokens, or at its own limit; raises HarnessError beyond its positions."""
        positions = learned_positions(self.sentence_transformer)
        if tokens is not None:
            config = getattr(self.sentence_transformer.transformers_model, "config", None)
            positions = positions or getattr(config, "max_position_embeddings", None)
            self.sentence_transformer.max_seq_length = tokens
        limit = self.max_tokens
        if limit is not None and positions is not None and limit > positions:
            limit_name = "its own max_seq_length," if tokens is None else "--max-seq-length"
            raise HarnessError(
                f"model {self.name} has {positions} positions: {limit_name} {limit} is too long",
                hint=f"the maximum is --max-seq-length {positions}",
            )


def position_tables(model: SentenceTransformer) -> list[torch.nn.Embedding]:
    """Return its tables of learned positions; none where positions are computed."""
    from torch.nn import Embedding

    return [
        table
        for name, table in model.named_modules()
        if name.rpartition(".")[2] == "position_embeddings" and isinstance(table, Embedding)
    ]


def first_position(table: torch.nn.Embedding) -> int:
    """Return where a table's positions begin.

    RoBERTa and its relatives count from after the padding's position, the table's `padding_idx`.
    """
    return 0 if table.padding_idx is None else int(table.padding_idx) + 1


def learned_positions(model: SentenceTransformer) -> int | None:
    """Return the tokens that the model has learned positions for; None where it has no such table."""
    usable = [table.num_embeddings - first_position(table) for table in position_tables(model)]
    return min(usable, default=None)


def _attention(model: SentenceTransformer) -> str | None:
    config = getattr(model.transformers_model, "config", None)
    return getattr(config, "_attn_implementation", None)


def _to_device(value: Any, device: torch.device) -> Any:  # noqa: ANN401 - features hold tensors and plain values
    """Copy a tensor to the device; from page-locked memory to a GPU, which does not wait for it."""
    if not hasattr(value, "to"):
        return value
    on_gpu = device.type == "cuda"
    return (value.pin_memory() if on_gpu else value).to(device, non_blocking=on_gpu)


def _full_dimensions(model: SentenceTransformer) -> int:
    with model.truncate_embeddings(None):
        dimensions = model.get_embedding_dimension()
        return int(dimensions) if dimensions is not None else int(model.encode(["dimensions"]).shape[1])
