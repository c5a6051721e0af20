"""Settings are honored or refused, and a loaded model's facts agree with them."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest
from conftest import LetterModel

from harness import HarnessError, Settings
from harness.authoring import ModelScheme, ModelSpec
from harness.models.fingerprint import fingerprint_with_settings
from harness.models.honor import load_located
from harness.models.interface import ALL_SETTINGS, changed_settings
from harness.models.locate import locate_model
from harness.plugins.loader import load_plugins

SETTINGS = {
    "truncate_dim": 3,
    "precision": "int8",
    "max_seq_length": 8,
    "dtype": "bfloat16",
    "backend": "packed",
    "normalize": True,
    "similarity": "dot",
    "prompts": (("query", "q: "),),
    "revision": "2026-11",
}
"""Settings that demand something of an embedding, each with another value than its default."""


def located(settings, **facts):
    """Locate a model of letters with settings; facts: what it says of itself once it is loaded."""
    model = LetterModel()
    model.spec = ModelSpec("letters", "", "letters", settings)
    model.facts = replace(model.facts, **facts)
    return model


def scheme(*honors):
    return ModelScheme("letters", "counts letters", lambda spec: located(spec.settings), frozenset(honors))


@pytest.mark.parametrize(("name", "value"), SETTINGS.items(), ids=SETTINGS)
def test_a_setting_that_a_scheme_does_not_honor_is_refused_and_no_other(name, value):
    spec = ModelSpec("letters", "", settings=Settings(**{name: value}))
    option = "--prompt" if name == "prompts" else f"--{name.replace('_', '-')}"
    with pytest.raises(HarnessError, match=f"the letters model does not support {option}"):
        locate_model(spec, {"letters": scheme()})
    with pytest.raises(HarnessError, match="does not support"):
        locate_model(spec, {"letters": scheme(*(set(SETTINGS) - {name}))})
    assert locate_model(spec, {"letters": scheme(name)}).name.startswith("letters")


def test_where_a_model_runs_and_what_is_accepted_is_refused_by_no_scheme():
    free = Settings(device="cpu", allow_pickle=True, trust_remote_code=True, allow_deviation=True)
    assert locate_model(ModelSpec("letters", "", settings=free), {"letters": scheme()}).name == "letters"
    assert set(changed_settings(free)) | set(SETTINGS) == ALL_SETTINGS


def test_all_refused_settings_are_named_at_once_with_those_that_are_honored():
    spec = ModelSpec("letters", "", settings=Settings(truncate_dim=3, dtype="bfloat16"))
    with pytest.raises(HarnessError) as error:
        locate_model(spec, {"letters": scheme("prompts", "similarity")})
    assert "does not support --dtype, --truncate-dim" in str(error.value)
    assert "it supports --prompt, --similarity" in str(error.value)


def test_a_similarity_that_does_not_exist_is_refused():
    spec = ModelSpec("letters", "", settings=Settings(similarity="dot_product"))
    with pytest.raises(HarnessError, match="dot_product"):
        locate_model(spec, {"letters": scheme("similarity")})


@pytest.mark.parametrize(
    ("setting", "facts", "message"),
    [
        ({"truncate_dim": 3}, {}, "ignores --truncate-dim 3: its facts say 26"),
        ({"max_seq_length": 8}, {}, "ignores --max-seq-length 8: its facts say 64"),
        ({"max_seq_length": 8}, {"max_tokens": None}, "ignores --max-seq-length 8: its facts say None"),
        ({"similarity": "dot"}, {}, "ignores --similarity dot: its facts say cosine"),
        ({"dtype": "bfloat16"}, {}, "ignores --dtype bfloat16: its facts say float32"),
        ({}, {"dtype": "float16"}, "ignores --dtype float32: its facts say float16"),
    ],
)
def test_facts_that_contradict_a_setting_are_an_error(setting, facts, message):
    with pytest.raises(HarnessError, match=message):
        load_located(located(Settings(**setting), **facts))


def test_facts_that_agree_with_the_settings_are_fine():
    settings = Settings(truncate_dim=3, max_seq_length=8, similarity="dot", dtype="bfloat16")
    honest = located(settings, dimensions=3, max_tokens=8, similarity="dot", dtype="bfloat16")
    assert load_located(honest) is honest


def test_a_model_without_facts_is_an_error_that_says_what_is_wanted():
    model = LetterModel()
    del model.facts
    with pytest.raises(HarnessError, match=r"without .*facts"):
        load_located(model)


def test_models_of_sentence_transformers_honor_all_settings_but_a_revision_where_their_content_says_it():
    schemes = load_plugins(allowed=[]).model_schemes()
    honored = {name: scheme.honors for name, scheme in schemes.items()}
    assert honored == {
        "folder": ALL_SETTINGS - {"revision"}, "minilm": ALL_SETTINGS - {"revision"}, "hub": ALL_SETTINGS,
        "lexical": frozenset({"precision"}),
    }  # fmt: skip


def test_a_fingerprint_hangs_on_no_setting_at_its_default():
    assert fingerprint_with_settings("f", Settings()) == hashlib.sha256(b"f\n{}").hexdigest()
    assert changed_settings(Settings(truncate_dim=None, dtype="float32")) == {}


@pytest.mark.parametrize(("name", "value"), SETTINGS.items(), ids=SETTINGS)
def test_a_fingerprint_hangs_on_every_setting_that_moves_a_score(name, value):
    changed = fingerprint_with_settings("f", Settings(**{name: value}))
    assert changed != fingerprint_with_settings("f", Settings())


def test_a_model_that_says_two_things_of_its_identity_is_refused():
    assert load_located(located(Settings(), identified=True)).facts.identified
    with pytest.raises(HarnessError, match="identified=True when it is located, and its facts say False"):
        load_located(located(Settings(), identified=False))
