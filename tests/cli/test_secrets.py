"""A key of a service appears in no file that a run writes, and in nothing that it prints."""

from __future__ import annotations

from pathlib import Path

import pytest

KEY, PASSED = "very-secret-4711", "sk-live-abcdef123456"
LEAKING = '''
import os
import numpy as np
from harness import Dataset, Finding, Predictions, Role, Severity, Task, hookimpl, mean_metric
from harness.authoring import ModelFacts, ModelScheme

class Remote:
    """Puts its key wherever it can."""
    def __init__(self, spec):
        self.spec, self.name = spec, spec.name or f"remote-{spec.location}"
        self.fingerprint = "c" * 64
        note = f"asked with {os.environ['REMOTE_API_KEY']}"
        self.facts = ModelFacts(dimensions=2, similarity="cosine", notes=(note,))
    def load(self):
        return self
    def encode(self, texts, role=Role.TEXT):
        return np.array([[len(text), 1.0] for text in texts], dtype=np.float32).reshape(-1, 2)
    def similarity(self, a, b):
        return a @ b.T
    def pairwise_similarity(self, a, b):
        return (a * b).sum(axis=1)
    def count_tokens(self, texts, role=Role.TEXT):
        return None
    def same_as(self, role):
        return Role.TEXT

class Leaking(Task):
    kind, tags, metrics = "leaking", frozenset({"leaking"}), (mean_metric("accuracy", "correct"),)
    def __init__(self, name):
        self.name = name
    def load(self, source):
        return Dataset({"text": ["one", "two", "three"]})
    def predict(self, model, dataset):
        model.encode(dataset["text"])
        key = os.environ["REMOTE_API_KEY"]
        if self.name == "leaking-raises":
            raise RuntimeError(f"403 https://me:{key}@host/v1?api_key={key} refused {key}")
        found = Finding("paid", Severity.WARNING, f"paid with {key}", f"rotate {key}")
        return Predictions(dataset, correct=[1.0, 0.0, 1.0], fitted={"auth": key}, findings=[found])

@hookimpl
def harness_tasks():
    return [Leaking("leaking-raises"), Leaking("leaking-says")]

@hookimpl
def harness_model_schemes():
    return [ModelScheme("remote", "a service", Remote)]
'''


@pytest.mark.parametrize("words", [[], ["--isolate"], ["--json"]], ids=["here", "isolated", "json"])
def test_a_key_is_in_no_record_journal_traceback_name_or_output(harness, monkeypatch, words):
    Path("leaking.py").write_text(LEAKING)
    monkeypatch.setenv("REMOTE_API_KEY", KEY)
    named = ["--model", f"one=remote:key={PASSED}", "--model", f"remote:{KEY}", "--plugin", "leaking.py"]
    answers = [harness("run", *named, "--tasks", "leaking", "--out", "out", *words)]
    assert answers[0].code == 2
    answers += [
        harness(command, "out", "--plugin", "leaking.py") for command in ("status", "leaderboard", "verify")
    ]
    answers.append(harness("compare", "out", "--all-pairs", "--write", "made.md", "--write", "made.json"))
    answers.append(
        harness("run", "--model", f"remote:key={PASSED}", "--tasks", "leaking", "--plugin", "leaking.py")
    )
    answers.append(harness("run", "--model", f"remot:{KEY}", "--tasks", "leaking", "--plugin", "leaking.py"))
    for answer in answers:
        for secret in (KEY, PASSED):
            assert secret not in answer.out
            assert secret not in answer.err
    files = [*Path("out").rglob("*"), *Path().glob("made.*")]
    assert {path.parts[1] for path in files if path.parts[0] == "out"} >= {"records", "errors", "runs"}
    for path in files:
        assert KEY not in str(path)
        assert PASSED not in str(path)
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path
            assert PASSED.encode() not in path.read_bytes(), path
    assert harness("verify", "out", "--plugin", "leaking.py").code == 0
