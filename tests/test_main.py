"""The entry point, before the command line is imported."""

from __future__ import annotations

import pytest

from harness import __main__ as entry


def test_windows_is_refused_with_a_sentence_and_what_to_do(monkeypatch, capsys):
    monkeypatch.setattr(entry.sys, "platform", "win32")
    with pytest.raises(SystemExit) as ended:
        entry.main()
    said = capsys.readouterr().err
    assert ended.value.code == 2
    assert "not on Windows itself" in said
    assert "wsl --install" in said
