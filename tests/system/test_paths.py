"""Paths that users write."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.system.paths import accessible, user_path


def test_a_path_is_read_as_a_shell_does_and_an_unknown_user_is_not_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert user_path("~/models") == tmp_path / "models"
    assert user_path("~no-such-user/models") == Path.cwd() / "~no-such-user/models"


def test_a_path_that_a_file_names_is_relative_to_that_file(tmp_path, monkeypatch):
    stats, stat = [], Path.stat
    monkeypatch.setattr(Path, "stat", lambda path, **options: (stats.append(path), stat(path, **options))[1])
    (tmp_path / "rows.csv").touch()
    assert user_path("rows.csv", tmp_path) == tmp_path / "rows.csv"
    assert stats == [tmp_path / "rows.csv"]
    assert user_path("/rows.csv", tmp_path) == Path("/rows.csv")


def test_a_name_that_is_too_long_for_a_file_is_refused_in_one_line(tmp_path):
    with pytest.raises(HarnessError, match="file name too long") as refused:
        accessible(tmp_path / ("a" * 300))
    assert len(refused.value.message) < 300
    assert accessible(tmp_path / "a\0b").is_file() is False


@pytest.mark.parametrize("number", [errno.EACCES, errno.ESTALE, errno.ENOTCONN])
def test_a_path_that_cannot_be_accessed_is_refused_with_the_reason(number, tmp_path, monkeypatch):
    def refuse(path, **_how):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(Path, "stat", refuse)
    with pytest.raises(HarnessError, match=f"cannot access .*here: {os.strerror(number)}"):
        user_path(str(tmp_path / "here"))


def test_a_link_to_a_path_that_cannot_be_accessed_is_refused(tmp_path, monkeypatch):
    closed, look = tmp_path / "closed", Path.stat

    def stat(path, *, follow_symlinks=True):
        if follow_symlinks and closed in path.readlink().parents:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        return look(path, follow_symlinks=follow_symlinks)

    (tmp_path / "link").symlink_to(closed / "folder")
    monkeypatch.setattr(Path, "stat", stat)
    with pytest.raises(HarnessError, match=r"cannot access .*link: Permission denied"):
        user_path(str(tmp_path / "link"))


def test_a_folder_that_may_not_be_entered_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, how: how != os.X_OK or path != tmp_path)
    with pytest.raises(HarnessError, match=r"cannot access .*: Permission denied"):
        user_path(str(tmp_path))


def test_a_path_at_which_nothing_exists_is_accepted(tmp_path):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "dangling").symlink_to("nowhere")
    for name in ("nothing", "file/below", "loop", "loop/below", "dangling"):
        assert not user_path(str(tmp_path / name)).exists()
