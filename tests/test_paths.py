"""From what a user wrote to a path."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.paths import possible, user_path


def test_a_path_is_read_as_a_shell_does_and_an_unknown_user_is_no_crash(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/models") == tmp_path / "models"
    assert str(user_path("~no-such-user/models")) == "~no-such-user/models"


def test_a_name_that_no_file_can_have_is_refused_in_a_line(tmp_path):
    with pytest.raises(HarnessError, match="no file can have so long a name") as refused:
        possible(tmp_path / ("a" * 300))
    assert len(refused.value.message) < 300
    assert possible(tmp_path / "a\0b").is_file() is False
