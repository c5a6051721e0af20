"""Errors of a user's: one alone, and several shown as one."""

from __future__ import annotations

import pytest

from harness.errors import Faults, FaultsError, HarnessError, MissingDataError


def test_nothing_is_raised_where_nothing_was_collected():
    Faults().refuse("file", hint="do something")


def test_a_single_fault_is_raised_as_it_is_and_takes_the_advice_as_a_further_hint():
    faults, error = Faults(), MissingDataError("no rows", hint="give some")
    faults.add(error)
    with pytest.raises(MissingDataError) as caught:
        faults.refuse("file")
    assert caught.value is error
    with pytest.raises(HarnessError) as caught:
        faults.refuse(hint="go on without")
    assert str(caught.value) == "no rows\n  hint: give some\n  hint: go on without"


def test_several_faults_are_one_error_with_what_exists_and_what_to_do_for_each():
    faults = Faults()
    with faults.collect("task a"):
        raise HarnessError("no column", exists="found: x", hint="rename it")
    assert faults.attempt(lambda: 1) == 1
    assert faults.attempt(lambda: int_of("x")) is None
    with pytest.raises(HarnessError) as caught:
        faults.refuse("all.toml", hint="--keep-going")
    assert str(caught.value) == (
        "all.toml: 2 things are wrong\n"
        "  task a: no column\n    found: x\n    hint: rename it\n"
        "  not a number: x\n"
        "  hint: --keep-going"
    )


def test_several_within_several_are_told_on_one_level_and_each_once():
    inner, outer = Faults(), Faults()
    for message in ("loss is odd", "r.toml: data is odd"):
        inner.add(HarnessError(message))
    with outer.collect("recipe"):
        inner.refuse("r.toml")
    outer.add(HarnessError("r.toml: loss is odd"))
    assert [str(fault) for fault in outer.found] == ["r.toml: loss is odd", "r.toml: data is odd"]
    with pytest.raises(FaultsError, match=r"^2 things are wrong"):
        outer.refuse()


def int_of(text):
    raise HarnessError(f"not a number: {text}")
