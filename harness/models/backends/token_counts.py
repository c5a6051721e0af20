"""Tokens of texts before any cut, from the pass that makes the model's input: no text is tokenized twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.models.backends.backend_model import BackendModel
    from harness.models.interface import Role

_PROBES = ("", "Two words.", "  spaces around \n", "[CLS] names of tokens </s>")
"""Texts on which both ways to count must agree, beside one that is cut."""
_BEYOND = 7
"""Tokens that the text that is cut has at least beyond the model's limit."""


class TokenCounts:
    """Counts what `BackendModel.count_tokens` does, from features; not where that is not proved for a role.

    It holds where the model's input is a tokenizer's output for prompt and text, of a tokenizer that keeps
    what it cuts off. A chat template, options of a processor, a tokenizer in Python: counts are another pass.
    """

    def __init__(self, model: BackendModel) -> None:
        self._model = model
        self._proved: dict[Role, bool] = {}

    def of(self, features: dict[str, Any], lengths: Sequence[int], role: Role) -> list[int] | None:
        """Return the tokens of each text before any cut; None where the features do not show them.

        features: as `BackendModel.features` returns them. lengths: tokens of each text after the cut.
        """
        if role not in self._proved:
            self._proved[role] = self._is_proved(role)
        return self._before_cut(features, lengths) if self._proved[role] else None

    def _is_proved(self, role: Role) -> bool:
        """Whether a few texts have the counts of `BackendModel.count_tokens`, and one alone no padding."""
        texts = [*_PROBES, "word " * ((self._model.max_tokens or 0) + _BEYOND)]
        try:
            wanted = self._model.count_tokens(texts, role)
            features = self._model.features(texts, role)
            lengths = features["attention_mask"].sum(dim=1).tolist()
            alone = self._model.features(texts[1:2], role)["input_ids"].shape[1]
            agree = wanted is not None and self._before_cut(features, lengths) == wanted.tolist()
            return agree and alone == lengths[1]
        except Exception:  # noqa: BLE001 - any tokenizer: what fails here is counted in another pass
            return False

    def _before_cut(self, features: dict[str, Any], lengths: Sequence[int]) -> list[int] | None:
        """Add to each length what was cut off, which comes in parts that have special tokens of their own."""
        encodings, tokenizer = getattr(features, "encodings", None), self._model.tokenizer
        if encodings is None or tokenizer is None:
            return None
        special = tokenizer.num_special_tokens_to_add()
        return [
            length + sum(sum(part.attention_mask) - special for part in encoding.overflowing)
            for length, encoding in zip(lengths, encodings, strict=True)
        ]
