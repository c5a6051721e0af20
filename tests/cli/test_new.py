"""`harness new`: a distribution that works as it is written, whole or not at all."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from harness.cli.new import KINDS, SKELETONS, skeleton

NAME = "birch-tree"
MODULE, CLASS = "birch_tree", "BirchTree"


@pytest.fixture
def forgotten(monkeypatch):
    """Forget the modules of a new plugin after the test."""
    yield
    for name in (MODULE, f"test_{MODULE}"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize(
    "kind", [kind if kind != "trainer" else pytest.param(kind, marks=pytest.mark.slow) for kind in KINDS]
)
def test_the_test_of_a_new_plugin_passes(kind, harness, monkeypatch, forgotten, tmp_path):
    assert harness("new", kind, NAME).code == 0
    monkeypatch.syspath_prepend(str(Path(NAME).absolute()))
    file = Path(NAME, "tests", f"test_{MODULE}.py")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    tests = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tests)
    ran = [getattr(tests, name) for name in dir(tests) if name.startswith("test_")]
    assert len(ran) >= 2
    for test in ran:
        test(*[tmp_path for name in test.__code__.co_varnames[: test.__code__.co_argcount]])


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_has_its_name_everywhere_and_no_placeholder(kind):
    files = dict(skeleton(kind, NAME))
    text = "\n".join([*files, *files.values()])
    assert {"pyproject.toml", "README.md", f"tests/test_{MODULE}.py"} < files.keys()
    assert not any(word in text for word in ("my-plugin", "my_plugin", "MyPlugin"))
    project = tomllib.loads(files["pyproject.toml"])
    assert project["project"]["name"] == NAME
    assert project["project"]["entry-points"]["harness"] == {NAME: MODULE}
    assert f"check_{kind}(" in files[f"tests/test_{MODULE}.py"]
    assert f"check_{kind}" in files["README.md"]


def test_what_was_written_is_listed_with_what_to_do_next(harness):
    answer = harness("new", "task", NAME, "--out", "plugins")
    assert (answer.code, answer.err) == (2 if not Path("plugins").exists() else 0, "")
    assert "written: plugins\n" in answer.out
    assert f"  {MODULE}/sample/{NAME}.csv\n" in answer.out
    assert "next: cd plugins && pip install -e '.[test]' && pytest" in answer.out


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Birch Tree", "hint: such as birch-tree"),
        ("birch_tree", "hint: such as birch-tree"),
        ("-birch", "not a name for a plugin"),
        ("../birch", "hint: such as birch"),
        ("7birch", "hint: such as support-tickets"),
        ("b" * 41, "40 characters at most"),
        ("bäume", "not a name for a plugin"),
        ("class", "a word of Python"),
        ("json", "one of its modules"),
        ("numpy", "a module numpy is installed already"),
        ("harness", "a module harness is installed already"),
        ("stsb", "a task named 'stsb' exists already (plugin sts)"),
        ("sts", "a plugin named 'sts' exists already"),
    ],
)
def test_a_name_that_cannot_be_used_is_refused(name, told, harness):
    answer = harness("new", "task", "--", name)
    assert answer.code == 2
    assert answer.err.startswith("Error: ")
    assert told in answer.err
    assert list(Path.cwd().iterdir()) == []


def test_a_name_is_taken_only_where_the_same_kind_has_it(harness):
    assert "a model named 'lexical' exists already" in harness("new", "model", "lexical").err
    assert harness("new", "check", "lexical").code == 0


def test_what_is_there_is_never_overwritten(harness):
    Path(NAME).mkdir()
    Path(NAME, "mine.txt").write_text("mine")
    answer = harness("new", "model", NAME)
    assert (answer.code, f"{NAME} exists already" in answer.err) == (2, True)
    assert [path.name for path in Path.cwd().rglob("*")] == [NAME, "mine.txt"]
    Path("link").symlink_to("nowhere")
    assert "link exists already" in harness("new", "model", NAME, "--out", "link").err
    assert "no folder" in harness("new", "model", NAME, "--out", "not/there").err


def test_a_plugin_is_written_whole_or_not_at_all(harness, monkeypatch):
    written, write_text = [], Path.write_text

    def full(self, *words, **more):
        written.append(self)
        if len(written) == 3:
            raise OSError(28, "No space left on device")
        return write_text(self, *words, **more)

    monkeypatch.setattr(Path, "write_text", full)
    answer = harness("new", "task", NAME)
    assert (answer.code, "No space left on device" in answer.err) == (2, True)
    assert list(Path.cwd().iterdir()) == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugin_is_built_installed_and_tested_in_an_environment_of_its_own(kind, harness, tmp_path):
    assert harness("new", kind, NAME).code == 0
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    offline = ["--no-index", "--no-deps"]
    build = [*pip, "wheel", *offline, "--no-build-isolation", "--wheel-dir", "wheels", f"./{NAME}"]
    subprocess.run(build, check=True, capture_output=True, timeout=300)
    (wheel,) = Path("wheels").glob("*.whl")
    subprocess.run([*pip, "install", *offline, "--target", "fresh", wheel], check=True, timeout=300)
    installed = tmp_path / "fresh"
    tests = (tmp_path / NAME / "tests").rename(tmp_path / "tests")
    environment = {key: value for key, value in os.environ.items() if key != "HARNESS_PLUGINS"}
    environment["PYTHONPATH"] = os.pathsep.join(
        [str(installed), *filter(None, [os.environ.get("PYTHONPATH")])]
    )

    def ran(*words):
        return subprocess.run(
            [sys.executable, "-m", *words], env=environment, cwd=tmp_path, capture_output=True, text=True
        )

    tested = ran("pytest", "-q", "-p", "no:cacheprovider", str(tests))
    assert tested.returncode == 0, tested.stdout
    listed = ran("harness", "list", "plugins")
    assert listed.returncode == 0
    (line,) = (line for line in listed.stdout.splitlines() if line.split()[:1] == [NAME])
    assert "in use" in line
    assert f"{NAME} 0.1.0" in line
    if kind == "task":
        assert (installed / MODULE / "sample" / f"{NAME}.csv").is_file()


def test_skeletons_hold_nothing_but_what_is_written():
    assert sorted(path.name for path in SKELETONS.iterdir() if path.is_dir()) == sorted(KINDS)
