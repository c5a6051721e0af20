"""Every backend gives what sentence-transformers gives, on tiny true models of many architectures."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from zoo import LIMIT, LONG_LIMIT, WORDS, ZOO

from harness import HarnessError, Model, Role, load_model
from harness.models.backends.threads import Workers

pytestmark = pytest.mark.kernels

BACKENDS = ("auto", "packed", "batched", "plain")
NO_TRANSFORMER = {"static", "router", "router-of-transformers", "words"}
NOT_BATCHED = {
    *NO_TRANSFORMER,
    "bert-convolution",  # mixes tokens with the padding next to them
    "bert-role-lengths",
    "qwen3-left", "qwen2-left-mean",  # are padded on the left
}  # fmt: skip
NOT_PACKED = {
    *(NOT_BATCHED - {"qwen3-left", "qwen2-left-mean"}),
    "bert-word-weights",  # needs an attention mask after the transformer
    "mpnet", "deberta", "t5",  # compute attention themselves
    "gpt2-no-specials",  # has no token at all for an empty text
}  # fmt: skip
DEPENDS_ON_BATCH = {"bert-convolution"}
"""Models whose own `encode` mixes a text with its padding: each text is encoded as it is alone."""
NO_WORD_ORDER = {"static", "words"}
BY_ROLE = {
    "bert-prompts", "bert-prompts-excluded", "bert-role-lengths", "qwen3-left", "router",
    "router-of-transformers",
}  # fmt: skip
"""Models that treat queries and documents differently; the others encode texts only, to save time."""


def _words(count: int, start: int = 0) -> str:
    """So many words, each a token, no two neighbors alike."""
    return " ".join(WORDS[(start + 7 * index) % len(WORDS)] for index in range(count))


TEXTS = [
    "", " ", "a", "\t\n", "the the", "Tenant SHALL return", "tenant shall return the keys to the landlord",
    "landlord shall return the keys to the tenant", "漢字かな交じり文", "e\u0301 u\u0308 n\u0303",
    "emoji 🙂 \U0001f469\u200d\U0001f467 and 🇪🇺", "שלום العربية", "zero\u200bwidth \ufeff mark",
    "control \x01\x02\x1b\x7f", "a\u00a0b\u2028c", "ﬁ Ⅳ ①", "[SEP] [MASK] </s> <s>",
    "x" * 500, "the a of", "the a of", "?!,.;:'\"()" * 20, _words(3000),
    *(_words(count) for count in range(71)),
    *(_words(count) for count in range(LIMIT - 4, LIMIT + 2)),
]  # fmt: skip
LONG_TEXTS = [
    _words(count) for count in (LONG_LIMIT - 3, LONG_LIMIT - 2, LONG_LIMIT - 1, 600, LONG_LIMIT + 2)
]
ASKED = ["", "a", "the tenant shall return the keys", _words(30), "e\u0301 漢字", _words(90)]
"""Enough where only a setting is at stake."""


def texts_for(name: str) -> list[str]:
    return [*TEXTS, *LONG_TEXTS] if name == "modernbert" else TEXTS


class Animal:
    """One model of the zoo: its folder, sentence-transformers' own embeddings, and ours, each made once."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._references: dict[Role, np.ndarray] = {}
        self._models: dict[str, Model | HarnessError] = {}

    @cached_property
    def original(self) -> Any:
        return sentence_transformer(self.folder)

    def reference(self, role: Role = Role.TEXT) -> np.ndarray:
        if role not in self._references:
            self._references[role] = self.originally(texts_for(self.folder.name), role)
        return self._references[role]

    def originally(self, texts: list[str], role: Role) -> np.ndarray:
        alone = {"batch_size": 1} if self.folder.name in DEPENDS_ON_BATCH else {}
        return encode_originally(self.original, texts, role, **alone)

    def model(self, backend: str) -> Model:
        """Our model; raises HarnessError, each time, where the backend cannot serve it."""
        if backend not in self._models:
            self._models[backend] = loaded_or_error(self.folder, backend)
        model = self._models[backend]
        if isinstance(model, HarnessError):
            raise model
        return model


def sentence_transformer(folder: Path, **options: Any) -> Any:
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, **options)


def encode_originally(model: Any, texts: list[str], role: Role, **options: Any) -> np.ndarray:
    encode = {Role.TEXT: model.encode, Role.QUERY: model.encode_query, Role.DOCUMENT: model.encode_document}
    return encode[role](texts, convert_to_numpy=True, show_progress_bar=False, **options)


def loaded_or_error(folder: Path, backend: str) -> Model | HarnessError:
    try:
        model: Any = load_model(str(folder), device="cpu", backend=backend)
    except HarnessError as error:
        return error
    # Two at once, without a calibration, which takes a second.
    model.workers = Workers("2x1", divisible=model.backend.divisible)
    return model


def assert_equal(ours: np.ndarray, theirs: np.ndarray, texts: list[str]) -> None:
    """Same direction (1 − cos ≤ 1e-6) and same numbers (1e-5 of the row's length) for every text."""
    assert ours.dtype == np.float32
    assert ours.shape == theirs.shape
    ours, theirs = ours.astype(np.float64), theirs.astype(np.float64)
    lengths = np.linalg.norm(theirs, axis=1)
    shift = np.abs(ours - theirs).max(axis=1)
    cosine = np.einsum("ij,ij->i", ours, theirs) / np.maximum(np.linalg.norm(ours, axis=1) * lengths, 1e-12)
    # Words that a static model does not know sum to nothing; nothing has no direction.
    off = np.where(lengths > 0, 1 - cosine, 0)
    worst = int(np.argmax(np.where(np.isfinite(shift), shift, np.inf)))
    assert np.isfinite(ours).all(), repr(texts[worst][:60])
    assert shift[worst] <= 1e-5 * max(lengths[worst], 1e-3), (
        repr(texts[worst][:60]),
        shift[worst],
        off[worst],
    )
    assert off.max() <= 1e-6, (repr(texts[int(off.argmax())][:60]), off.max())


def roles(name: str) -> tuple[Role, ...]:
    return tuple(Role) if name in BY_ROLE else (Role.TEXT,)


def possible(name: str, backend: str) -> bool:
    return name not in {"packed": NOT_PACKED, "batched": NOT_BATCHED}.get(backend, ())


def fastest(name: str) -> str:
    return next(backend for backend in ("packed", "batched", "plain") if possible(name, backend))


@pytest.fixture(scope="module")
def zoo(tmp_path_factory):
    """The models, built on first use."""
    folder, animals = tmp_path_factory.mktemp("zoo"), {}

    def animal(name: str) -> Animal:
        if name not in animals:
            animals[name] = Animal(ZOO[name](folder / name))
        return animals[name]

    return animal


CASES = [(name, backend) for name in ZOO for backend in BACKENDS]
POSSIBLE = [(name, backend) for name, backend in CASES if possible(name, backend)]
IMPOSSIBLE = [(name, backend) for name, backend in CASES if not possible(name, backend)]


@pytest.mark.parametrize(("name", "backend"), [case for case in POSSIBLE if "auto" not in case])
def test_a_backend_equals_sentence_transformers(zoo, name, backend):
    animal, texts = zoo(name), texts_for(name)
    model = animal.model(backend)
    assert model.facts.backend == backend
    for role in roles(name):
        assert_equal(model.encode(texts, role), animal.reference(role), texts)


@pytest.mark.parametrize("name", ZOO)
def test_the_fastest_possible_backend_is_chosen_and_equals_sentence_transformers(zoo, name):
    animal = zoo(name)
    model = animal.model("auto")
    assert model.facts.backend == fastest(name)
    for role in roles(name):
        assert_equal(model.encode(ASKED, role), animal.originally(ASKED, role), ASKED)


@pytest.mark.parametrize("name", ZOO)
def test_a_model_that_depends_on_its_batch_is_found_and_no_other(zoo, name):
    codes = {finding.code for finding in zoo(name).model("auto").facts.findings}
    assert ("depends-on-batch" in codes) == (name in DEPENDS_ON_BATCH)


@pytest.mark.parametrize(("name", "backend"), IMPOSSIBLE)
def test_a_backend_that_cannot_serve_a_model_says_so(zoo, name, backend):
    with pytest.raises(HarnessError, match=backend):
        zoo(name).model(backend)


# --- could these tests fail? ----------------------------------------------------------------------------


def test_the_texts_end_just_before_at_and_just_after_the_limit(zoo):
    for name in set(ZOO) - NO_TRANSFORMER:
        model = zoo(name).original
        tokens = {
            len(ids) for ids in model.tokenizer(texts_for(name), truncation=False, verbose=False)["input_ids"]
        }
        assert {model.max_seq_length + offset for offset in (-1, 0, 1)} <= tokens, name


@pytest.mark.parametrize("name", sorted(set(ZOO) - NO_WORD_ORDER))
def test_a_model_of_the_zoo_tells_one_word_order_from_another(zoo, name):
    keys = ["tenant shall return the keys to the landlord", "landlord shall return the keys to the tenant"]
    first, second = zoo(name).original.encode(keys)
    assert 1 - first @ second / np.linalg.norm(first) / np.linalg.norm(second) > 3e-3


@pytest.mark.parametrize("name", sorted(set(ZOO) - NO_TRANSFORMER))
def test_a_model_of_the_zoo_shows_attention_to_padding(zoo, name):
    import torch

    model = zoo(name).original
    features = model.preprocess(["the tenant", _words(40)])
    masked = features["attention_mask"].clone()
    embeddings = []
    for mask in (masked, torch.ones_like(masked)):
        with torch.inference_mode():
            embeddings.append(model({**features, "attention_mask": mask.clone()})["sentence_embedding"][0])
    assert 1 - torch.cosine_similarity(*embeddings, dim=0) > 3e-3


# --- an embedding is a function of its text --------------------------------------------------------------

ALONE = [
    *((name, "packed") for name in ("bert", "bert-dense", "roberta", "modernbert", "qwen3-left")),
    *((name, "packed") for name in ("gemma3-bidirectional", "mistral-window", "bert-prompts-excluded")),
    *((name, "batched") for name in ("bert", "bert-word-weights", "mpnet", "t5", "deberta")),
]


@pytest.mark.parametrize(("name", "backend"), ALONE)
def test_neither_other_texts_nor_order_change_a_bit_of_an_embedding(zoo, name, backend):
    model, texts = zoo(name).model(backend), texts_for(name)
    together = model.encode(texts, Role.QUERY)

    @settings(max_examples=25)
    @given(st.lists(st.sampled_from(range(len(texts))), min_size=1, max_size=12))
    def check(rows):
        assert np.array_equal(model.encode([texts[row] for row in rows], Role.QUERY), together[rows])

    check()


AT_ONCE = [("bert-dense", "packed"), ("bert-dense", "batched"), ("bert-word-weights", "batched")]


@pytest.mark.parametrize(("name", "backend"), AT_ONCE)
def test_one_batch_may_run_in_several_threads_at_once(zoo, name, backend):
    served = zoo(name).model(backend).backend
    batch = next(iter(served.batches(ASKED, Role.TEXT)))
    alone = served.run(batch)
    with ThreadPoolExecutor(4) as pool:
        for together in pool.map(served.run, [batch] * 40):
            np.testing.assert_allclose(together, alone, atol=1e-5)


# --- settings -------------------------------------------------------------------------------------------


def variants(*names: str) -> list[tuple[str, str]]:
    return [(name, backend) for name, backend in POSSIBLE if name in names]


@pytest.mark.parametrize(
    ("name", "backend"), variants("bert", "bert-max", "bert-cls-mean", "bert-dense", "mpnet")
)
def test_truncated_embeddings_are_their_first_dimensions(zoo, name, backend):
    folder = zoo(name).folder
    ours = load_model(str(folder), device="cpu", backend=backend, truncate_dim=8)
    theirs = sentence_transformer(folder, truncate_dim=8).encode(ASKED)
    assert ours.facts.dimensions == 8
    assert_equal(ours.encode(ASKED), theirs, ASKED)


@pytest.mark.parametrize("tokens", [4, 21])
@pytest.mark.parametrize(
    ("name", "backend"), variants("bert-cls", "roberta", "modernbert", "t5", "qwen3-left")
)
def test_texts_are_cut_where_the_user_says(zoo, name, backend, tokens):
    folder = zoo(name).folder
    ours = load_model(str(folder), device="cpu", backend=backend, max_seq_length=tokens)
    original = sentence_transformer(folder)
    original.max_seq_length = tokens
    for role in Role:
        assert_equal(ours.encode(ASKED, role), encode_originally(original, ASKED, role), ASKED)


PROMPTED = ("bert", "bert-prompts", "bert-prompts-excluded", "qwen3-left", "t5", "static", "router", "words")


@pytest.mark.parametrize(("name", "backend"), variants(*PROMPTED))
def test_the_prompt_of_the_user_replaces_the_one_of_the_model(zoo, name, backend):
    animal = zoo(name)
    prompts = {"query": "two people: "}
    ours = load_model(animal.folder, device="cpu", backend=backend, prompts=prompts)
    prompted = encode_originally(animal.original, ASKED, Role.QUERY, prompt="two people: ")
    assert_equal(ours.encode(ASKED, Role.QUERY), prompted, ASKED)
    others = encode_originally(animal.original, ASKED, Role.DOCUMENT)
    assert_equal(ours.encode(ASKED, Role.DOCUMENT), others, ASKED)
    assert np.abs(prompted - encode_originally(animal.original, ASKED, Role.QUERY)).max() > 1e-3


@pytest.mark.parametrize(("name", "backend"), variants("bert-prompts", "bert-prompts-excluded", "qwen3-left"))
def test_an_empty_prompt_of_the_user_takes_away_the_one_of_the_model(zoo, name, backend):
    animal = zoo(name)
    ours = load_model(
        str(animal.folder),
        device="cpu",
        backend=backend,
        prompts={
            "query": "",
        },
    )
    assert_equal(ours.encode(ASKED, Role.QUERY), encode_originally(animal.original, ASKED, Role.TEXT), ASKED)


@pytest.mark.parametrize(("name", "backend"), variants("bert-prompts-excluded"))
def test_an_excluded_prompt_that_leaves_no_room_for_the_text_is_as_in_sentence_transformers(
    zoo, name, backend
):
    folder = zoo(name).folder
    ours = load_model(str(folder), device="cpu", backend=backend, max_seq_length=3)
    original = sentence_transformer(folder)
    original.max_seq_length = 3
    assert_equal(ours.encode(ASKED, Role.QUERY), encode_originally(original, ASKED, Role.QUERY), ASKED)
