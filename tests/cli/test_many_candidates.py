"""`harness compare` of fifty checkpoints: power does not vanish with the number of lines."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from comparison import made

TASKS = ("t1", "t2", "t3")


@pytest.fixture
def checkpoints(monkeypatch):
    """Write so many alike checkpoints, a base, and a last one that has collapsed, on three tasks."""

    def writing(count):
        monkeypatch.setattr(made, "publish", lambda results: None)  # a table after each answer takes long
        generator = np.random.default_rng(7)
        for task in TASKS:
            meaning, shared = generator.normal(size=100), 0.3 * generator.normal(size=100)
            gold = np.round(np.clip(2.5 + 1.5 * meaning, 0, 5))
            for name in ("base", *(f"ck{number:02d}" for number in range(count))):
                predicted = meaning + shared + 0.2 * generator.normal(size=100)
                if name == f"ck{count - 1:02d}":
                    predicted = meaning + 4 * generator.normal(size=100)
                made.answer("out", name, task, metrics=(made.SPEARMAN,), gold=gold, predicted=predicted)

    return writing


@pytest.mark.slow
def test_the_one_of_fifty_checkpoints_that_collapsed_is_worse_on_all_tasks(checkpoints, harness):
    checkpoints(50)
    found = harness("compare", "out", "--baseline", "base", "--candidate", "ck*", "--format", "json")
    assert found.code == 1
    comparisons = json.loads(found.out)["comparisons"]
    verdicts = {
        each["candidate"]["name"]: [line["verdict"] for line in each["lines"]] for each in comparisons
    }
    assert verdicts.pop("ck49") == ["worse"] * 3
    assert {verdict for own in verdicts.values() for verdict in own} == {"inconclusive"}


@pytest.mark.slow
def test_all_pairs_find_it_too(checkpoints, harness):
    checkpoints(12)
    found = harness("compare", "out", "--all-pairs", "--format", "json")
    comparisons = json.loads(found.out)["comparisons"]
    assert [len(each["lines"]) for each in comparisons] == [3] * (13 * 12 // 2)
    for each in comparisons:
        verdicts = {line["verdict"] for line in each["lines"]}
        collapsed = "ck11" in (each["candidate"]["name"], each["baseline"]["name"])
        assert verdicts <= ({"worse", "better"} if collapsed else {"inconclusive", "equivalent"})


@pytest.mark.slow
def test_neither_compare_nor_leaderboard_imports_torch(checkpoints):
    checkpoints(3)
    for words in (["compare", "out", "--baseline", "base", "--candidate", "ck*"], ["leaderboard", "out"]):
        code = (
            "import sys\nfrom harness.cli import main\n"
            f"sys.argv = ['harness', *{words}]\n"
            "try:\n    main()\nexcept SystemExit:\n    pass\n"
            "heavy = {'torch', 'pandas', 'sklearn', 'transformers'}\n"
            "print(sorted(heavy & set(sys.modules)), file=sys.stderr)\n"
        )
        ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert ended.stderr.splitlines()[-1] == "[]"
