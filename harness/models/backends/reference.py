"""What sentence-transformers' public methods do for a role: the reference of every backend.

`encode`, `encode_query` and `encode_document` choose prompts by rules of their own, which differ between
versions: `encode` takes the default prompt, the other two an empty one before that. So they are asked, and
not imitated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.models.interface import Role

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np
    import torch
    from sentence_transformers import SentenceTransformer

    from harness.models.interface import Settings


@dataclass(frozen=True, slots=True)
class RoleInput:
    """What a public method hands on with the texts of a role."""

    prompt: str
    """The prompt before each text; empty for none."""
    options: Mapping[str, Any]
    """Options of `preprocess` and `forward`, such as `task`, which routes asymmetric models."""


class _AnswerError(Exception):
    """Ends a public method at the call that shows what it does."""

    def __init__(self, answer: RoleInput) -> None:
        super().__init__()
        self.answer = answer


class PublicMethods:
    """`encode`, `encode_query` and `encode_document` of a model, one per role, with the user's settings.

    A prompt of the user is passed as `prompt=`, `normalize` as `normalize_embeddings=`.
    """

    def __init__(self, model: SentenceTransformer, settings: Settings) -> None:
        self._model = model
        self._prompts = dict(settings.prompts)
        self._normalize = settings.normalize
        self._inputs = {role: self._ask(role) for role in Role}

    def input_of(self, role: Role) -> RoleInput:
        """Return the prompt and the options that the method of a role uses."""
        return self._inputs[role]

    def encode(self, texts: Sequence[str], role: Role, *, alone: bool = False) -> np.ndarray:
        """Return the embeddings of a role's method: (n, dimensions) float32.

        alone: each text in a batch of its own, so that there is no padding.
        """
        options: dict[str, Any] = {"batch_size": 1} if alone else {}
        embeddings = self._method(role)(
            list(texts),
            convert_to_tensor=True,
            show_progress_bar=False,
            normalize_embeddings=self._normalize,
            **self._own_prompt(role),
            **options,
        )
        return as_float32(embeddings)

    def _method(self, role: Role) -> Callable[..., Any]:
        model = self._model
        methods: dict[Role, Callable[..., Any]] = {
            Role.TEXT: model.encode,
            Role.QUERY: model.encode_query,
            Role.DOCUMENT: model.encode_document,
        }
        return methods[role]

    def _own_prompt(self, role: Role) -> dict[str, str]:
        return {"prompt": self._prompts[role]} if role in self._prompts else {}

    def _ask(self, role: Role) -> RoleInput:
        """Call the method of a role up to `preprocess`, which is handed what the method chose."""

        def note(_texts: object, prompt: str | None = None, **options: object) -> None:
            raise _AnswerError(RoleInput(prompt or "", options))

        self._model.preprocess = note  # type: ignore[assignment,method-assign] # of this object alone
        try:
            self._method(role)(["a text"], show_progress_bar=False, **self._own_prompt(role))
        except _AnswerError as asked:
            return asked.answer
        except Exception:  # noqa: BLE001, S110 - the trial calls it again, and says why it fails
            pass
        finally:
            del self._model.preprocess
        # A model with an `encode` of its own: the trial at load shows what can serve it.
        return RoleInput(self._prompts.get(role, ""), {})


def as_float32(embeddings: torch.Tensor) -> np.ndarray:
    """Copy embeddings to the host as float32."""
    array: np.ndarray = embeddings.float().cpu().numpy()
    return array
