"""The command line as its user meets it: words in, exit code and output out."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass

import pytest


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    code: int
    out: str
    err: str


@pytest.fixture(autouse=True)
def somewhere_else(tmp_path, tmp_path_factory, monkeypatch):
    """Run in an empty folder and an empty cache, with our own plugins that are needed alone."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("HARNESS_PLUGINS", "sts")


@pytest.fixture
def harness(capsys, monkeypatch):
    """Call `harness WORDS…` in this process."""
    from harness.cli import main

    def calling(*words) -> Answer:
        monkeypatch.setattr(sys, "argv", ["harness", *map(str, words)])
        capsys.readouterr()
        try:
            main()
            code = 0
        except SystemExit as ended:
            code = ended.code or 0
        return Answer(code, *capsys.readouterr())

    return calling


@pytest.fixture
def document():
    """Read what a command printed with `--json`, and hold it against the schema of a name."""
    from json_schema import faults

    from harness.cli.schema import make_schema

    def reading(name, answer):
        content = json.loads(answer.out)
        assert faults(content, make_schema(name)) == []
        return content

    return reading


@pytest.fixture
def run(harness):
    """Call `harness run` without timing; lexical on sts, unless other words are given."""

    def running(*words, model="lexical", tasks="sts", out="out") -> Answer:
        given = [
            word
            for name, value in (("--model", model), ("--tasks", tasks))
            if value
            for word in (name, value)
        ]
        return harness("run", "--no-throughput", "--out", out, *given, *words)

    return running


@pytest.fixture
def install(tmp_path_factory, monkeypatch):
    """Install a plugin as pip leaves it: a module, and a folder of metadata with an entry point."""

    def installing(name, code):
        folder = tmp_path_factory.mktemp("installed")
        metadata = folder / f"{name}-1.0.dist-info"
        metadata.mkdir()
        (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[harness]\n{name} = {name}_installed\n")
        (folder / f"{name}_installed.py").write_text(code)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.setenv("HARNESS_PLUGINS", f"{os.environ['HARNESS_PLUGINS']},{name}")
        # Another test's plugin of this name is another module.
        monkeypatch.delitem(sys.modules, f"{name}_installed", raising=False)

    return installing
