"""Try a model: does it keep the rules of models?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.encoding.validate import as_embeddings
from harness.errors import HarnessError
from harness.models.interface import Role
from harness.plugins.validate import model_error
from harness.testing.model_trial import ODD, TEXTS, ModelTrial
from harness.testing.model_use import ROLE_RULES, SIMILARITY_RULES, TOKEN_RULES
from harness.testing.rules import Rule, find_failures, raise_failures
from harness.testing.specifications import LOCATED_RULES, SETTINGS_RULES, SPECIFICATION_RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.interface import LocatedModel, ModelScheme


def check_model(model: LocatedModel, *, scheme: ModelScheme | None = None) -> None:
    """Return if a model keeps all rules.

    model: what a scheme's `locate` returned.
    scheme: the one that located it; if None, the one called `model.spec.scheme` of the module in which the
    model's class is, of its package, or of an installed plugin.
    Raises one AssertionError with a sentence for each rule that it breaks.
    """
    raise_failures(f"model {getattr(model, 'name', model)!r}", model_failures(model, scheme=scheme))


def model_failures(model: LocatedModel, *, scheme: ModelScheme | None = None) -> list[str]:
    """Return a sentence for each rule that a model breaks, `RULE: …`; an empty list if it keeps all."""
    return [str(failure) for failure in find_failures(STAGES, ModelTrial(model, scheme))]


def _members(trial: ModelTrial) -> Iterator[str]:
    if problem := model_error(trial.located):
        yield f"it is {problem}"
        return
    fingerprint = trial.located.fingerprint
    if len(fingerprint) < 8 or set(fingerprint) - set("0123456789abcdef"):
        yield f"its fingerprint is {fingerprint!r}, not a hex digest: hashlib.sha256(…).hexdigest() is one"


def _loads(trial: ModelTrial) -> Iterator[str]:
    try:
        model = trial.model
    except HarnessError as error:
        yield f"{error.message} ({error.hint})" if error.hint else error.message
        return
    further = ("similarity", "pairwise_similarity", "count_tokens")
    if missing := [name for name in further if not callable(getattr(model, name, None))]:
        yield f"load returns a {type(model).__name__} without {', '.join(missing)}"
    elif (model.name, model.fingerprint) != (trial.located.name, trial.located.fingerprint):
        yield (
            f"the loaded model is called {model.name} with fingerprint {model.fingerprint[:8]}, the located"
            f" one {trial.located.name} with {trial.located.fingerprint[:8]}: they are the same"
        )


def _shape(trial: ModelTrial) -> Iterator[str]:
    for texts in (list(TEXTS), list(TEXTS[:1]), []):
        try:
            as_embeddings(trial.model, trial.model.encode(texts, Role.TEXT), len(texts))
        except HarnessError as error:
            yield f"{error.message} ({error.hint})"


def _finite(trial: ModelTrial) -> Iterator[str]:
    import numpy as np

    for texts in (TEXTS, ODD):
        found = trial.model.encode(list(texts), Role.TEXT)
        broken = np.flatnonzero(~np.isfinite(found).all(axis=1))
        if len(broken):
            yield f"the embedding of {texts[broken[0]][:20]!r} is not finite: return zeros for such a text"
            return
    zeros = int((~trial.embeddings.any(axis=1)).sum())
    if zeros > len(TEXTS) // 2:
        yield f"{zeros} of {len(TEXTS)} plain English texts have an embedding of zeros"
    elif len(np.unique(trial.embeddings, axis=0)) < len(TEXTS) - zeros:
        yield "different sentences have the same embedding"


def _twice(trial: ModelTrial) -> Iterator[str]:
    if found := trial.unlike(trial.embeddings, trial.model.encode(list(TEXTS), Role.TEXT)):
        yield f"the same texts have other embeddings when they are encoded again: {found}"


def _order(trial: ModelTrial) -> Iterator[str]:
    backwards = trial.model.encode(list(TEXTS[::-1]), Role.TEXT)[::-1]
    if found := trial.unlike(trial.embeddings, backwards):
        yield f"rows are not in the order of the texts: backwards, {found}"


def _batches(trial: ModelTrial) -> Iterator[str]:
    """Find embeddings that depend on which other texts are encoded with them."""
    for size in (1, 3):
        for start in range(0, len(TEXTS), size):
            part = trial.model.encode(list(TEXTS[start : start + size]), Role.TEXT)
            if found := trial.unlike(trial.embeddings[start : start + size], part):
                yield f"an embedding depends on the other texts of its call: {found}"
                return


def _other_texts(trial: ModelTrial) -> Iterator[str]:
    """Find embeddings that depend on what was encoded before, and arrays that later calls change."""
    kept = trial.model.encode(list(TEXTS), Role.TEXT)
    before = kept.copy()
    trial.model.encode(list(ODD), Role.TEXT)
    trial.model.encode([f"Sentence {number} is about something else." for number in range(20)], Role.TEXT)
    if found := trial.unlike(before, kept):
        yield f"a later call of encode changes an array that an earlier one returned: {found}"
    elif found := trial.unlike(before, trial.model.encode(list(TEXTS), Role.TEXT)):
        yield f"an embedding depends on the texts that were encoded before: {found}"


def _inputs(trial: ModelTrial) -> Iterator[str]:
    texts = list(TEXTS)
    trial.model.encode(texts, Role.TEXT)
    if texts != list(TEXTS):
        yield "encode changes the list of texts that it gets: work on a copy"


def _loaded_again(trial: ModelTrial) -> Iterator[str]:
    again = trial.located.load().encode(list(TEXTS), Role.TEXT)
    if found := trial.unlike(trial.embeddings, again):
        yield f"loaded again, the same texts have other embeddings under one fingerprint: {found}"


STAGES = (
    (Rule("members", "is located with name, fingerprint, spec and load", _members),),
    (Rule("loads", "loads to a model with all members, whose facts are as it was set", _loads),),
    (Rule("shape", "returns one float32 row per text, (texts, dimensions), also for none", _shape),),
    (Rule("finite", "has finite embeddings for any text, and tells texts apart", _finite),),
    (Rule("twice", "gives a text the same embedding each time", _twice),),
    (Rule("order", "returns rows in the order of the texts", _order),),
    (Rule("batches", "gives a text the same embedding with any other texts in the call", _batches),),
    (Rule("other-texts", "gives a text the same embedding whatever was encoded before", _other_texts),),
    (
        Rule("inputs", "does not change the list of texts", _inputs),
        Rule("loaded-again", "has the same embeddings when it is loaded again", _loaded_again),
        *ROLE_RULES,
        *SIMILARITY_RULES,
        *TOKEN_RULES,
        *SPECIFICATION_RULES,
    ),
    LOCATED_RULES,
    SETTINGS_RULES,
)
"""Rules of models."""
