"""Rules of what a model is located from: its specification, its scheme and the settings that it honors."""

from __future__ import annotations

import pickle
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from harness.encoding.validate import are_apart
from harness.errors import HarnessError
from harness.models.interface import ALL_SETTINGS, ModelFacts, ModelSpec, Role, Settings
from harness.testing.model_trial import TEXTS
from harness.testing.model_use import similarity_of
from harness.testing.rules import Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from harness.models.interface import Model
    from harness.testing.model_trial import ModelTrial

_FEW_TOKENS = 4
_PROMPTS = (("query", "Find what answers this question: "),)


def _specification(trial: ModelTrial) -> Iterator[str]:
    """Find a spec that another process does not get as it is: `--isolate` sends it as JSON."""
    spec = trial.located.spec
    try:
        sent = msgspec.json.decode(msgspec.json.encode(spec), type=ModelSpec)
        pickled = pickle.loads(pickle.dumps(spec))  # noqa: S301 - our own bytes
    except Exception as error:  # noqa: BLE001 - msgspec and pickle have many
        yield f"its spec cannot be sent to another process: {' '.join(str(error).split())}"
        return
    if not sent == pickled == spec:
        yield f"its spec is {sent} in another process, and here {spec}: use plain data"
    elif trial.model.spec != spec:
        yield f"the loaded model has the spec {trial.model.spec}, the located one {spec}"


def _facts(trial: ModelTrial) -> Iterator[str]:
    """Find facts that a record cannot hold."""
    facts = trial.model.facts
    try:
        # As records are written: numbers of numpy are plain ones there.
        written = msgspec.json.encode(facts, enc_hook=lambda value: value.tolist())
        read = msgspec.json.decode(written, type=ModelFacts)
    except Exception as error:  # noqa: BLE001 - any object of a plugin
        yield f"its facts cannot be written into a record and read again: {error}"
        return
    if read != facts:
        yield f"its facts are {read} when they are read from a record, and here {facts}"


def _located_again(trial: ModelTrial) -> Iterator[str]:
    spec = trial.located.spec
    if trial.scheme is None:
        yield (
            f"no scheme is called {spec.scheme!r}, so no other process can locate the model: return it from"
            " harness_model_schemes, or pass scheme"
        )
        return
    again = trial.locate(spec)
    named = replace(spec, name="my-name", settings=replace(spec.settings, device="cpu"))
    if (found := trial.locate(named)).spec != named:
        yield f"located from {named}, it has the spec {found.spec}: keep the one that locate gets"
    elif (again.name, again.fingerprint) != (trial.located.name, trial.located.fingerprint):
        yield (
            f"located again, it is {again.name} with fingerprint {again.fingerprint[:8]}, before"
            f" {trial.located.name} with {trial.located.fingerprint[:8]}"
        )
    elif found.name != named.name:
        yield f"with --model my-name=…, it is called {found.name!r}: use spec.name where it is not empty"


def _settings(trial: ModelTrial) -> Iterator[str]:
    if trial.scheme is None:
        return
    if strange := sorted(trial.scheme.honors - ALL_SETTINGS):
        yield f"honors has {strange[0]!r}, which is not a setting: {', '.join(sorted(ALL_SETTINGS))}"
        return
    for name, find in _HONORED.items():
        if name in trial.scheme.honors:
            yield from find(trial)


def _set(trial: ModelTrial, **changes: object) -> Model | None:
    """Return the model with other settings; None where it refuses the value."""
    settings = replace(Settings(), **changes)  # type: ignore[arg-type] # by the names of fields
    try:
        return trial.locate(replace(trial.located.spec, settings=settings)).load()
    except HarnessError:
        return None


def _max_seq_length(trial: ModelTrial) -> Iterator[str]:
    model, text = _set(trial, max_seq_length=_FEW_TOKENS), [f"{TEXTS[2]} {TEXTS[4]}"]
    if model is None:
        return
    if model.facts.max_tokens != _FEW_TOKENS:
        yield f"it honors max_seq_length, and with {_FEW_TOKENS} facts.max_tokens is {model.facts.max_tokens}"
    elif not trial.unlike(trial.model.encode(text, Role.TEXT), model.encode(text, Role.TEXT)):
        yield f"it honors max_seq_length, and {_FEW_TOKENS} tokens give a longer text the same embedding"
    elif (tokens := model.count_tokens(text, Role.TEXT)) is not None and tokens[0] <= _FEW_TOKENS:
        yield f"with max_seq_length {_FEW_TOKENS}, count_tokens says {tokens[0]}: count before the cut"


def _prompts(trial: ModelTrial) -> Iterator[str]:
    model = _set(trial, prompts=_PROMPTS)
    if model is None:
        return
    role = model.same_as(Role.QUERY)
    before = trial.model.encode(list(TEXTS), trial.model.same_as(Role.QUERY))
    if not trial.unlike(before, model.encode(list(TEXTS), role)):
        as_what = "" if role is Role.QUERY else f", and same_as says that a query is encoded as {role}"
        yield f"it honors prompts, and a prompt for queries gives them the same embeddings{as_what}"


def _similarity(trial: ModelTrial) -> Iterator[str]:
    import numpy as np

    name = "manhattan" if trial.model.facts.similarity == "euclidean" else "euclidean"
    model = _set(trial, similarity=name)
    if model is None:
        return
    rows = model.encode(list(TEXTS[:4]), Role.TEXT)
    wanted, found = similarity_of(name, rows, rows), np.asarray(model.similarity(rows, rows))
    if model.facts.similarity != name:
        yield f"it honors similarity, and with {name} facts.similarity is {model.facts.similarity}"
    elif are_apart(wanted, found):
        yield f"it honors similarity, and with {name} returns {found[0, 1]:.4f} for {wanted[0, 1]:.4f}"


def _dtype(trial: ModelTrial) -> Iterator[str]:
    model = _set(trial, dtype="bfloat16")
    if model is not None and model.facts.dtype != "bfloat16":
        yield f"it honors dtype, and with bfloat16 facts.dtype is {model.facts.dtype}"


_HONORED = {
    "max_seq_length": _max_seq_length,
    "prompts": _prompts,
    "similarity": _similarity,
    "dtype": _dtype,
}
"""Setting → what shows that a model honors it; those of storage are applied for every model."""

SPECIFICATION_RULES = (
    Rule("specification", "has a spec of plain data, which another process gets as it is", _specification),
    Rule("facts", "has facts of plain data, as a record holds them", _facts),
)
LOCATED_RULES = (
    Rule("located-again", "is located from its spec again, under the name that a user gives", _located_again),
)
SETTINGS_RULES = (Rule("settings", "does what the settings say that its scheme honors", _settings),)
