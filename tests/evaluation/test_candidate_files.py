"""A candidate arrives as it was, in parts, whole or not at all."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.evaluation.candidate_files import file_parts, place_files
from harness.execution.units import FilePart


def test_files_arrive_as_they_were_in_parts_of_bounded_size(tmp_path):
    made = tmp_path / "made"
    (made / "1_Pooling").mkdir(parents=True)
    files = {"a.bin": bytes(range(250)), "1_Pooling/config.json": b"{}", "empty": b"", "full": b"x" * 100}
    for name, content in files.items():
        (made / name).write_bytes(content)
    parts = list(file_parts(made, size=100))
    assert [(part.file, len(part.content)) for part in parts] == [
        ("1_Pooling/config.json", 2), ("a.bin", 100), ("a.bin", 100), ("a.bin", 50), ("empty", 0),
        ("full", 100),
    ]  # fmt: skip
    place_files(tmp_path / "out", parts)
    arrived = {path.relative_to(tmp_path / "out").as_posix(): path for path in (tmp_path / "out").rglob("*")}
    assert {name: path.read_bytes() for name, path in arrived.items() if path.is_file()} == files
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "out"]


@pytest.mark.parametrize("name", ["../elsewhere", "/elsewhere", "a/../../b"])
def test_a_file_outside_of_the_candidate_is_refused(tmp_path, name):
    with pytest.raises(HarnessError, match="outside of the candidate"):
        place_files(tmp_path / "out", [FilePart(file=name, content=b"")])
    assert not (tmp_path / "out").exists()
