"""A share of what `python -m benchmarks.fuzz` does, and every input that once was a finding."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import pytest

from fuzzing.inputs import Input, drawn
from fuzzing.oracle import judge
from fuzzing.targets import TARGETS, Target, by_name
from harness.errors import HarnessError

CORPUS = sorted((Path(__file__).parent / "corpus").glob("*.json"))
LIGHT = [one for one in TARGETS if not one.heavy]
SEED, INPUTS, PARTS = 1, 500, 10


@pytest.mark.parametrize("part", range(PARTS))
def test_hostile_input_is_read_or_refused_in_words(part, tmp_path):
    for number in range(part, INPUTS, PARTS):
        given = drawn(SEED, number, LIGHT)
        verdict = judge(by_name(given.target), given, tmp_path / "sandbox")
        assert verdict.outcome != "finding", (
            f"input {number} for {given.target}: {verdict.what}\n{verdict.told}"
        )


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_what_once_broke_something_is_read_or_refused_in_words(path, tmp_path):
    given = Input.from_json(path.read_text(encoding="utf-8"))
    verdict = judge(by_name(given.target), given, tmp_path / "sandbox")
    assert verdict.outcome != "finding", f"{verdict.what}\n{verdict.told}"


@pytest.mark.slow
def test_models_whose_files_are_hostile_are_loaded_or_refused_in_words(tmp_path):
    target = by_name("loaded-model")
    for number in range(100):
        verdict = judge(target, drawn(SEED, number, [target]), tmp_path / "sandbox")
        assert verdict.outcome != "finding", f"{verdict.what}\n{verdict.told}"


@pytest.mark.parametrize("target", LIGHT, ids=lambda one: one.name)
def test_a_sound_input_reaches_the_end_of_its_target(target, tmp_path):
    verdicts = [judge(target, Input(target.name, files), tmp_path / "sandbox") for files in target.seeds()]
    assert any(one.outcome == "accepted" for one in verdicts), verdicts[0].told


def test_an_input_is_the_same_bytes_whatever_was_drawn_before():
    first = [drawn(3, number, LIGHT) for number in range(30)]
    assert [drawn(3, number, LIGHT) for number in reversed(range(30))] == first[::-1]
    assert len({one.to_json() for one in first}) > 25


def test_an_input_is_read_back_from_its_file_byte_for_byte():
    for number in range(60):
        given = drawn(4, number, LIGHT)
        assert Input.from_json(given.to_json()) == given


def _raises(folder):
    raise KeyError("x")


def _hangs(folder):
    while True:
        time.sleep(0.01)


def _strays(folder):
    (folder.parent / "elsewhere").write_text("x")


def _warns(folder):
    warnings.warn("odd", stacklevel=1)


def _refuses_at_length(folder):
    raise HarnessError("a" * 3_000 + "\n" * 30_000)


@pytest.mark.parametrize(
    ("call", "what"),
    [
        pytest.param(_raises, "KeyError in", id="another exception"),
        pytest.param(_hangs, "Hangs in", id="a hang"),
        pytest.param(_strays, "left the sandbox", id="a file elsewhere"),
        pytest.param(_warns, "UserWarning at", id="a warning"),
        pytest.param(_refuses_at_length, "ValueError in", id="a message as long as a file"),
    ],
)
def test_the_oracle_sees(call, what, tmp_path):
    target = Target("made", 1, lambda: [{}], call)
    verdict = judge(target, Input("made", {}), tmp_path / "sandbox", limit=0.3)
    assert verdict.outcome == "finding"
    assert verdict.what.startswith(what)
