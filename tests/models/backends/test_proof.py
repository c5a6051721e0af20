"""What was found of a model when it was loaded is kept, until something that it depends on changes."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from harness import Role, Settings, load_model
from harness.models import computation
from harness.models.backends import packed, proof
from harness.models.backends.trial import PROBES
from harness.models.locate import locate_model, parse_model
from harness.plugins.loader import load_plugins


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "proofs"


@pytest.fixture
def load(folder, monkeypatch):
    """Load a model with its proofs in a folder; return it, and how often a model was tried."""
    tried = []
    choose = proof.choose
    monkeypatch.setattr(proof, "choose", lambda *given: tried.append(1) or choose(*given))
    schemes = load_plugins().model_schemes()

    def loading(path, settings=None, threads="auto"):
        tried.clear()
        spec = replace(parse_model(str(path), schemes, settings, threads=threads), proofs=str(folder))
        return locate_model(spec, schemes).load(), len(tried)

    return loading


@pytest.mark.slow
def test_a_model_that_was_proved_is_not_tried_again_and_gives_the_same_bits(tiny, load, folder):
    first, tried = load(tiny)
    again, tried_again = load(tiny)
    assert (tried, tried_again) == (1, 0)
    assert again.facts == first.facts
    for role in Role:
        assert np.array_equal(again.encode(PROBES, role), first.encode(PROBES, role))
    assert len([*folder.iterdir()]) == 1


@pytest.mark.slow
def test_without_a_folder_nothing_is_kept(tiny, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    load_model(str(tiny))
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow
def test_a_lower_precision_keeps_its_deviation(tiny, load):
    settings = Settings(dtype="bfloat16", allow_deviation=True)
    first, again = load(tiny, settings)[0], load(tiny, settings)[0]
    assert again.facts.deviation == first.facts.deviation
    assert np.array_equal(again.encode(PROBES), first.encode(PROBES))


@pytest.mark.slow
@pytest.mark.parametrize(
    "changed",
    [
        {"_versions": lambda: {"torch": "9.9"}},
        {"_processor": lambda: "another"},
        {"_encoding_hash": lambda: "another"},
        {"_kernels": lambda _: {"capability": "another"}},
    ],
    ids=["library", "processor", "our own code", "kernels"],
)
def test_a_proof_made_elsewhere_is_not_used(changed, tiny, load, monkeypatch):
    load(tiny)
    for name, value in changed.items():
        monkeypatch.setattr(computation, name, value)
    assert load(tiny)[1] == 1


@pytest.mark.slow
def test_other_settings_threads_and_cores_are_proved_apart(tiny, load, monkeypatch):
    load(tiny)
    assert load(tiny, Settings(max_seq_length=8))[1] == 1
    assert load(tiny, threads="1")[1] == 1
    monkeypatch.setattr(proof, "cores", lambda: 64)
    assert load(tiny)[1] == 1


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"proof": {"backend": "plain"}}', b"\xff", b"[" * 100_000, b"3"]
)
def test_a_damaged_proof_is_made_again(content, tiny, load, folder):
    load(tiny)
    (path,) = folder.iterdir()
    whole = path.read_bytes()
    path.write_bytes(content)
    assert load(tiny)[1] == 1
    assert json.loads(path.read_bytes())["proof"] == json.loads(whole)["proof"]


def test_a_proof_whose_seal_is_broken_is_not_believed(tiny, load, folder):
    load(tiny)
    (path,) = folder.iterdir()
    path.write_text(path.read_text().replace('"backend": "packed"', '"backend": "batched"'))
    model, tried = load(tiny)
    assert (model.facts.backend, tried) == ("packed", 1)


@pytest.mark.slow
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_where_bits_are_others_than_were_proved_the_model_is_tried_again(
    dtype, tiny, load, folder, monkeypatch
):
    settings = Settings(dtype=dtype, allow_deviation=True)
    expected = load(tiny, settings)[0].encode(PROBES)
    monkeypatch.setattr(proof, "_bits", lambda *_: "others")
    again, tried = load(tiny, settings)
    assert tried == 1
    assert np.array_equal(again.encode(PROBES), expected)
    monkeypatch.undo()


@pytest.mark.slow
def test_a_proof_that_does_not_hold_and_cannot_be_replaced_costs_no_run(tiny, load, monkeypatch):
    expected = load(tiny)[0].encode(PROBES)
    monkeypatch.setattr(proof, "_bits", lambda *_: "others")
    monkeypatch.setattr(proof, "write_atomic", lambda *_: (_ for _ in ()).throw(PermissionError("read-only")))
    for _ in range(2):
        model, tried = load(tiny)
        assert tried == 1
        assert np.array_equal(model.encode(PROBES), expected)


@pytest.mark.slow
def test_a_backend_that_fails_now_is_tried_again(tiny, load, monkeypatch):
    load(tiny)
    monkeypatch.setattr(packed.Packed, "use_shapes", lambda self, shapes: shapes["gone"])
    assert load(tiny)[1] == 1


@pytest.mark.slow
def test_the_fastest_threads_are_kept_once_they_were_measured(tiny, load, folder):
    model, _ = load(tiny, threads="2")
    assert model.workers.needs_calibration
    model.workers.calibrate(lambda: None)
    model._proved.note_layout(model.workers.layout)
    again, _ = load(tiny, threads="2")
    assert (again.workers.layout, again.workers.how) == (model.workers.layout, "calibrated before")
    assert not again.workers.needs_calibration


@pytest.mark.slow
def test_a_folder_that_cannot_be_written_costs_no_run(tiny, load, folder):
    folder.write_text("a file")
    assert load(tiny)[1] == 1
    assert load(tiny)[1] == 1


def test_a_model_that_is_not_batch_invariant_is_not_kept(tiny, load, folder):
    assert load(tiny, Settings(backend="plain"))[1] == 1
    assert not folder.exists()
