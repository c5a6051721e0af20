"""Adapters are loaded on a local or cached base, and fingerprinted with it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from zoo_folders import TEXTS, edit, in_cache, save_weights, weights

from harness import HarnessError, load_model
from harness.models.adapter import bases_of
from harness.models.fingerprint import fingerprint_model

pytest.importorskip("peft", reason="needs the extra `adapters`")


def test_the_fingerprint_of_an_adapter_changes_with_its_base(folder_of, copy_of):
    folder = copy_of("adapter")
    base = Path(shutil.copytree(bases_of(folder)[0], folder.parent / "base"))
    edit(folder / "adapter_config.json", base_model_name_or_path=str(base))
    before = fingerprint_model(folder)
    save_weights(base, {name: rows + 0.1 for name, rows in weights(base).items()})
    assert fingerprint_model(folder) != before


@pytest.mark.slow
def test_an_adapter_finds_its_base_in_the_hubs_cache(copy_of, tmp_path):
    folder = copy_of("adapter")
    expected = load_model(str(folder)).encode(TEXTS)
    in_cache(bases_of(folder)[0], tmp_path / "hub")
    edit(folder / "adapter_config.json", base_model_name_or_path="org/base")
    code = (
        "import sys, numpy; from harness import load_model;"
        "numpy.save(sys.argv[2], load_model(sys.argv[1]).encode(sys.argv[3:]))"
    )
    command = [sys.executable, "-c", code, folder, tmp_path / "rows.npy", *TEXTS]
    environment = {**os.environ, "HF_HUB_CACHE": str(tmp_path / "hub"), "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    np.testing.assert_allclose(np.load(tmp_path / "rows.npy"), expected, atol=1e-6)


def test_an_adapter_changes_the_embeddings_of_its_base(folder_of):
    adapter = folder_of("adapter")
    ours, base = load_model(str(adapter)).encode(TEXTS), load_model(str(bases_of(adapter)[0])).encode(TEXTS)
    assert np.abs(ours - base).max() > 1e-2


def test_without_peft_an_adapter_is_refused_with_the_extra_that_loads_it(folder_of, monkeypatch):
    folder = folder_of("adapter")
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(HarnessError, match=r"needs peft, which is not .*\n.*-harness\[adapters\]', or merge"):
        load_model(str(folder))


def test_a_dora_adapter_is_refused_since_its_magnitude_vectors_are_not_loaded(folder_of, tmp_path):
    from peft import LoraConfig
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(bases_of(folder_of("adapter"))[0]), device="cpu")
    model.add_adapter(
        LoraConfig(r=4, target_modules=["query", "value"], init_lora_weights=False, use_dora=True)
    )
    model.save_pretrained(str(tmp_path / "dora"), create_model_card=False)
    with pytest.raises(HarnessError, match=r"does not load DoRA's magnitude vectors: 4 of them.*\n.*merge"):
        load_model(str(tmp_path / "dora"))
