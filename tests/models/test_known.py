"""What a located model says of itself before it is loaded."""

from __future__ import annotations

from dataclasses import replace

import pytest
from conftest import LetterModel

from harness import HarnessError, Settings
from harness.authoring import ModelSpec
from harness.encoding.cache_key import cache_key, cacheable
from harness.models.interface import UNIDENTIFIED, Role
from harness.models.known import is_identified, is_remote
from harness.models.missing_model import MissingModel
from harness.models.stored_model import LocatedStored
from harness.models.usable import check_usable


def letters(**facts):
    model = LetterModel()
    model.facts = replace(model.facts, **facts)
    return model


def test_a_model_that_says_nothing_is_identified_and_here():
    for model in (LetterModel(), MissingModel(ModelSpec("folder", "x"), HarnessError("no"))):
        assert is_identified(model)
        assert not is_remote(model)


def test_a_view_of_a_model_is_identified_and_remote_as_the_model_is():
    model = LetterModel()
    model.identified, model.remote = False, True
    view = LocatedStored(model, ModelSpec("letters", "", settings=Settings(truncate_dim=3)))
    assert not is_identified(view)
    assert is_remote(view)


def test_a_model_that_cannot_be_used_now_is_told_before_anything_is_done():
    def off():
        raise HarnessError("the server is off")

    model = LetterModel()
    check_usable(model)
    model.probe = off
    with pytest.raises(HarnessError, match="the server is off"):
        check_usable(model)


@pytest.mark.parametrize(
    ("facts", "kept"),
    [
        ({}, False),
        ({"reproducible": True}, True),
        ({"remote": True}, True),
        ({"reproducible": True, "identified": False}, False),
        ({"remote": True, "identified": False}, False),
    ],
)
def test_embeddings_are_kept_between_runs_of_what_is_identified_and_the_same_or_paid_for(facts, kept):
    assert cacheable(letters(**facts)) is kept


def test_what_another_machine_computed_is_found_whatever_this_one_is(monkeypatch):
    there, here = letters(remote=True), letters(reproducible=True)
    before = cache_key(there, Role.TEXT), cache_key(here, Role.TEXT)
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX")
    assert cache_key(there, Role.TEXT) == before[0]
    assert cache_key(here, Role.TEXT) != before[1]


def test_a_model_that_is_not_identified_says_so_in_its_findings():
    assert letters(identified=False).facts.all_findings == (UNIDENTIFIED,)
    assert letters().facts.all_findings == ()
