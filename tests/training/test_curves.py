"""The curves of a training: no name of a task is a formula, mathematics, or left out."""

from __future__ import annotations

import csv
import re
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from harness.training.check_input import LogEntry
from harness.training.curves import CSV, PICTURE, to_csv, write_curves

NAMES = ["stsb_spearman", "=HYPERLINK(1)_spearman", r"$\x$_spearman", "_hidden", "a\nb", "<b>--x\x07"]


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("curves")
    scores = {name: 0.1 * place for place, name in enumerate(NAMES)}
    entries = [LogEntry(step=step, epoch=step / 2, loss=0.5, metrics=scores) for step in (1, 2)]
    write_curves(folder, [*entries, LogEntry(step=3, epoch=1.5, learning_rate=1e-5)])
    return folder


def test_a_number_of_numpy_is_written_as_any_other():
    half = np.float64(0.5)
    assert (
        to_csv([LogEntry(step=1, epoch=half, loss=half, metrics={"m": half})]).splitlines()[1]
        == "0.5,1,0.5,,0.5"
    )


def test_no_cell_of_the_csv_is_a_formula(written):
    with (written / CSV).open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header[:5] == ["epoch", "step", "loss", "learning_rate", "stsb_spearman"]
    assert header[5:] == [f"'{NAMES[1]}", *NAMES[2:]]
    assert [row[:4] for row in rows] == [
        ["0.5", "1", "0.5", ""],
        ["1.0", "2", "0.5", ""],
        ["1.5", "3", "", "1e-05"],
    ]


def test_the_picture_has_every_name_as_it_is(written):
    picture = (written / PICTURE).read_text(encoding="utf-8")
    ET.fromstring(picture)
    assert picture.count('id="legend_1"') == 1
    said = re.findall(r"<!-- (.*?) -->", picture, re.DOTALL)
    for name in ("stsb_spearman", "=HYPERLINK(1)_spearman", r"$\x$_spearman", "_hidden"):
        assert name in said
