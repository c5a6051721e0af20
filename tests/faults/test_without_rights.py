"""A user without rights: what may not be read is named, not left out in silence; what is there stays."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from faults.test_kills import STEADY

OTHER = 65534
SETPRIV = shutil.which("setpriv")


def copied(harness, out):
    """Make results of two models."""
    models = ["--plugin", STEADY, "--model", "steady", "--model", "lexical", "--tasks", "sts"]
    assert harness("run", *models, "--no-throughput", "--cache", "cache", "--out", out).code == 0


def lasting(folder):
    """Files of a results folder that must be the same."""
    kept = [path for path in folder.rglob("*") if path.is_file() and "runs" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in kept}


@pytest.fixture
def place(harness, tmp_path):
    """A folder with results and a cache that are another user's, and an empty folder `own`."""
    if os.geteuid() != 0 or not SETPRIV:
        pytest.skip("root alone can give files to another user and drop its own rights (setpriv)")
    copied(harness, tmp_path / "out")
    give(tmp_path / "out", tmp_path / "cache")
    (tmp_path / "own").mkdir()
    return tmp_path


def give(*folders):
    """Give folders, and what is in them, to another user."""
    for folder in folders:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, OTHER, OTHER)


@pytest.fixture
def stranger(place):
    """Call `harness WORDS…` as a user who has no rights to others' files; returns exit code and output.

    It is root without its capabilities, and so may read the Python of these tests wherever that lies.
    """

    def calling(*words):
        command = [SETPRIV, "--bounding-set=-all", "--inh-caps=-all", sys.executable, "-m", "harness"]
        environment = {**os.environ, "HARNESS_PLUGINS": "sts"}
        ran = subprocess.run(
            [*command, *map(str, words)], cwd=place, text=True, capture_output=True, env=environment
        )
        assert "Traceback" not in ran.stdout + ran.stderr, ran.stderr
        return ran.returncode, ran.stdout + ran.stderr

    return calling


COMMANDS = {
    "leaderboard": ("leaderboard", "out"),
    "leaderboard csv": ("leaderboard", "out", "--format", "csv", "--no-letters"),
    "compare": ("compare", "out", "--baseline", "lexical", "--candidate", "steady"),
    "verify": ("verify", "out"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", COMMANDS)
def test_a_model_that_may_not_be_read_is_not_left_out_in_silence(name, place, stranger):
    assert stranger(*COMMANDS[name])[0] == (1 if name == "compare" else 0)
    (folder,) = (place / "out" / "records").glob("steady*")
    for mode in (0o700, 0o744):  # not readable; its names can be read and its files not
        folder.chmod(mode)
        code, said = stranger(*COMMANDS[name])
        assert code == (1 if name == "verify" else 2)
        assert folder.name in said
        assert "Permission denied" in said
    (place / "out" / "records").chmod(0o700)
    code, said = stranger(*COMMANDS[name])
    assert (code, "records: Permission denied" in said) == (2, True), said


@pytest.mark.slow
def test_what_may_not_be_written_is_one_error_and_stays(place, stranger):
    before = lasting(place / "out")
    run = ("run", "--plugin", STEADY, "--model", "steady", "--tasks", "sts", "--no-throughput")
    for words, said in [
        ((*run, "--out", "out"), "cannot write results to out: Permission denied"),
        ((*COMMANDS["compare"], "--write", "out/report.md"), "cannot write out/report.md: Permission denied"),
        (
            ("bench", "--plugin", STEADY, "--model", "steady", "--out", "out/bench"),
            "cannot write results to out/bench: Permission denied",
        ),
        (("cache", "clear", "cache", "--yes"), "2 files could not be removed"),
    ]:
        code, told = stranger(*words)
        assert (code, said in told) == (2, True), told
    assert lasting(place / "out") == before
    assert len(list((place / "cache").rglob("*.safetensors"))) == 2


@pytest.mark.slow
def test_a_cache_that_may_be_read_or_not_even_that_costs_no_result(place, stranger):
    run = ("run", "--plugin", STEADY, "--model", "steady", "--tasks", "sts", "--no-throughput")
    for number, mode in enumerate((0o755, 0o700)):
        (place / "cache" / "embeddings").chmod(mode)
        code, said = stranger(*run, "--cache", "cache", "--out", f"own/{number}")
        assert code == 0, said
        assert ("embedding cache" in said) == (mode == 0o700)
    steady = lasting(place / "out" / "records")
    for number in range(2):
        own = lasting(place / "own" / str(number) / "records")
        assert own == {name: steady[name] for name in own}
        assert own


@pytest.mark.slow
def test_a_run_that_publishes_names_the_records_that_it_may_not_read(place, stranger):
    shutil.copytree(place / "out", place / "own" / "out")
    (folder,) = (place / "own" / "out" / "records").glob("lexical*")
    give(folder)
    folder.chmod(0o700)
    run = ("run", "--plugin", STEADY, "--model", "steady", "--tasks", "sts", "--no-throughput")
    code, said = stranger(*run, "--no-cache", "--out", "own/out")
    named = f"PROBLEM cannot read own/out/records/{folder.name}: Permission denied" in said
    assert (code, named) == (2, True), said


def test_a_current_folder_that_may_not_be_entered_is_one_error(place, stranger):
    give(place)
    place.chmod(0o700)
    code, said = stranger("leaderboard", "out")
    place.chmod(0o755)
    assert (code, said.count("\n")) == (2, 1), said
    assert "Permission denied" in said
