"""Files of folders: what cannot be read is an error, and not an empty folder."""

from __future__ import annotations

import os

import pytest

from harness.errors import HarnessError
from harness.system.listing import list_files


@pytest.fixture
def root(tmp_path):
    for name in ("b/2.json", "b/1.json", "a/3.json", "a/3.txt", "top.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def names(paths, root):
    return [path.relative_to(root).as_posix() for path in paths]


def test_files_are_listed_by_suffix_and_sorted(root):
    assert names(list_files(root, ".json"), root) == ["top.json"]
    assert names(list_files(root, ".json", below=True), root) == ["a/3.json", "b/1.json", "b/2.json"]


def test_a_missing_folder_and_a_file_have_no_files(root):
    assert list_files(root / "none", ".json", below=True) == list_files(root / "top.json", ".json") == []


def test_a_folder_that_may_not_be_entered_is_an_error_or_a_problem_of_its_own(root, monkeypatch):
    allowed = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: path != root / "a" and allowed(path, mode))
    with pytest.raises(HarnessError, match=f"cannot read {root / 'a'}: Permission denied"):
        list_files(root, ".json", below=True)
    problems = []
    found = list_files(root, ".json", below=True, problems=problems)
    assert names(found, root) == ["b/1.json", "b/2.json"]
    assert problems == [f"cannot read {root / 'a'}: Permission denied"]
