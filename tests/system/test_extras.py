"""A library of an extra is imported, or its absence is answered with the command that installs it."""

from __future__ import annotations

import sys

import pytest

from harness import HarnessError
from harness.system.extras import import_extra, is_installed, require_extra


def test_a_library_that_is_installed_is_imported():
    assert import_extra("json.decoder", "fast", "backend fast") is sys.modules["json.decoder"]


@pytest.mark.parametrize("ask", [import_extra, require_extra])
def test_a_missing_library_is_an_error_with_the_command_that_installs_it(ask, monkeypatch):
    monkeypatch.setitem(sys.modules, "fastlib", None)
    with pytest.raises(HarnessError) as raised:
        ask("fastlib", "fast", "backend fast")
    assert str(raised.value) == (
        "backend fast needs fastlib, which is not installed\n  hint: pip install 'embedding-harness[fast]'"
    )


def test_a_module_of_a_missing_library_names_the_library():
    with pytest.raises(HarnessError, match="needs no_such_library, which is not installed"):
        import_extra("no_such_library.part", "fast", "backend fast")


def test_the_error_says_what_else_can_be_done_and_whose_extra_it_is():
    with pytest.raises(HarnessError, match=r"pip install 'mine\[fast\]', or leave it$"):
        require_extra("no_such_library", "fast", "it", otherwise="leave it", distribution="mine")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("raise ImportError('libGL.so.1: cannot open shared object file')", "libGL.so.1: cannot open"),
        ("import no_such_library", "No module named 'no_such_library'"),
    ],
)
def test_a_library_that_is_there_and_cannot_be_imported_is_another_error(code, reason, tmp_path, monkeypatch):
    (tmp_path / "broken_library.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(HarnessError, match=f"which cannot be imported: {reason}") as raised:
        import_extra("broken_library", "fast", "backend fast")
    assert "pip install --force-reinstall 'embedding-harness[fast]'" in raised.value.hint


def test_asking_whether_a_library_is_there_imports_nothing(tmp_path, monkeypatch):
    (tmp_path / "loud_library.py").write_text("raise AssertionError('it was imported')")
    monkeypatch.syspath_prepend(tmp_path)
    require_extra("loud_library", "fast", "backend fast")
    assert is_installed("loud_library")
    assert "loud_library" not in sys.modules
