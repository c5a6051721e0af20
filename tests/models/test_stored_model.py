"""Models whose embeddings are cut and quantized: as sentence-transformers does, for any model."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from conftest import LetterModel, build_model
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import quantize_embeddings

from harness import HarnessError, Role, Settings, load_model
from harness.authoring import ModelScheme, ModelSpec
from harness.models.interface import ALL_SETTINGS
from harness.models.locate import locate_model, parse_model
from harness.models.stored_model import StoredModel, by_encoding, view_of
from harness.models.workload import workload
from harness.plugins.builtin import harness_model_schemes

TEXTS = ["", "a", "hello there, general", "one two three " * 40, "Ünïcode — 漢字", "x" * 300, "short one"]
SCHEMES = {scheme.name: scheme for scheme in harness_model_schemes()}


def located(text, **settings):
    return locate_model(parse_model(text, SCHEMES, Settings(**settings)), SCHEMES)


def letters(**settings):
    """Counts of letters, and a similarity that relies on nothing."""
    model = LetterModel()
    model.spec = ModelSpec("letters", "", "letters")
    return StoredModel(
        model, replaced(model, spec=replace(model.spec, settings=Settings(**settings)), fingerprint="b" * 64)
    )


def replaced(model, **attributes):
    changed = LetterModel(model.name, model.fingerprint)
    vars(changed).update(attributes)
    return changed


@pytest.mark.parametrize("normalize", [True, False])
def test_the_first_dimensions_are_those_of_sentence_transformers(tmp_path, normalize):
    folder = build_model(tmp_path / "model", normalize=normalize)
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True, truncate_dim=8)
    model = load_model(str(folder), truncate_dim=8)
    assert model.facts.dimensions == 8
    np.testing.assert_allclose(model.encode(TEXTS), reference.encode(TEXTS), atol=1e-6)
    assert model.encode(TEXTS).tolist() == load_model(str(folder)).encode(TEXTS)[:, :8].tolist()


@pytest.mark.parametrize("function", ["cosine", "dot", "euclidean", "manhattan"])
def test_shorter_embeddings_are_compared_by_the_models_function(tmp_path, function):
    folder = build_model(tmp_path / "model", similarity=function)
    reference = SentenceTransformer(str(folder), device="cpu", local_files_only=True, truncate_dim=8)
    model = load_model(str(folder), truncate_dim=8)
    ours, theirs = model.encode(TEXTS), reference.encode(TEXTS)
    np.testing.assert_allclose(
        model.similarity(ours, ours[:3]), reference.similarity(theirs, theirs[:3]).numpy(), atol=1e-5
    )
    np.testing.assert_allclose(
        model.pairwise_similarity(ours, ours[::-1].copy()),
        reference.similarity_pairwise(theirs, theirs[::-1].copy()).numpy(),
        atol=1e-5,
    )


def test_a_similarity_that_relies_on_length_1_is_not_used_for_shorter_embeddings():
    model = letters(truncate_dim=5)
    model.source.similarity = model.source.pairwise_similarity = lambda *_: pytest.fail("of the full model")
    a, b = model.encode(["abba"]), model.encode(["abc"])
    assert model.similarity(a, b).item() == pytest.approx(4 / np.sqrt(8 * 3))
    assert model.pairwise_similarity(a, b).item() == pytest.approx(4 / np.sqrt(8 * 3))


def test_an_unknown_similarity_is_the_models_own():
    model = LetterModel()
    model.facts = replace(model.facts, similarity="by heart")
    model.similarity = lambda a, b: "by heart"
    stored = StoredModel(model, replaced(model, spec=replace(model.spec, settings=Settings(truncate_dim=5))))
    assert stored.similarity(None, None) == "by heart"


@pytest.mark.parametrize("precision", ["int8", "uint8", "binary", "ubinary"])
def test_quantized_embeddings_are_those_of_sentence_transformers(tiny, precision):
    full, model = (load_model(tiny, **settings) for settings in ({}, {"precision": precision}))
    documents, queries = full.encode(TEXTS[2:]), full.encode(TEXTS)
    model.calibrate([documents[:2], documents[2:]])
    expected = quantize_embeddings(queries, precision, calibration_embeddings=documents)
    if "binary" in precision:
        expected = 2.0 * np.unpackbits((expected.astype(int) % 256).astype(np.uint8), axis=1) - 1
        expected = expected if precision == "ubinary" else -expected * np.where(np.arange(32) % 8 == 0, 1, -1)
    assert model.encode(TEXTS).tolist() == expected.tolist()


def test_a_dimension_is_cut_before_it_is_quantized(tiny):
    model = load_model(str(tiny), truncate_dim=8, precision="int8")
    full = load_model(str(tiny)).encode(TEXTS)
    model.calibrate([full])
    assert model.encode(TEXTS).tolist() == quantize_embeddings(full[:, :8].copy(), "int8").tolist()
    assert model.facts.dimensions == 8


def test_codes_are_compared_by_the_models_function_and_bits_by_hamming_distance(tiny):
    codes, bits = (load_model(str(tiny), precision=name) for name in ("int8", "binary"))
    assert (codes.facts.similarity, bits.facts.similarity) == ("cosine", "hamming")
    a, b = np.array([[3, -4, 100.0]], dtype=np.float32), np.array([[-3, 4, 1.0]], dtype=np.float32)
    assert codes.similarity(a, b).item() == pytest.approx(
        (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    )
    assert bits.similarity(np.sign(a), np.sign(b)).item() == pytest.approx(-1 / 3)


def test_int8_without_ranges_says_where_they_come_from(tiny):
    model = load_model(str(tiny), precision="int8")
    assert model.encode([]).shape == (0, 32)
    with pytest.raises(
        HarnessError, match="takes the range of each dimension from a task's documents"
    ) as error:
        model.encode(TEXTS)
    assert "Task.texts" in str(error.value)
    assert "--precision binary needs no ranges" in str(error.value)


@pytest.mark.parametrize("dimensions", [33, 1000])
def test_more_dimensions_than_the_model_has_are_an_error_that_names_its_own(tiny, dimensions):
    with pytest.raises(
        HarnessError, match=f"invalid --truncate-dim {dimensions}: model tiny has 32 dimensions"
    ):
        load_model(str(tiny), truncate_dim=dimensions)


def test_all_dimensions_are_the_model_itself_and_that_is_said(tiny):
    full, all_kept = load_model(str(tiny)), load_model(str(tiny), truncate_dim=32)
    assert all_kept.encode(TEXTS).tolist() == full.encode(TEXTS).tolist()
    assert "--truncate-dim 32 keeps all its dimensions" in all_kept.facts.notes


@pytest.mark.slow
def test_how_far_storing_moves_embeddings_is_measured(tiny):
    full = load_model(str(tiny)).encode(workload())
    facts = {name: load_model(str(tiny), precision=name).facts for name in ("float32", "int8", "binary")}
    assert facts["float32"].quantization is None
    signs = np.where(full > 0, 1.0, -1.0)
    cosine = (full * signs).sum(axis=1) / np.linalg.norm(full, axis=1) / np.sqrt(32)
    measured = facts["binary"].quantization
    assert measured.texts == 64
    assert measured.largest == pytest.approx((1 - cosine).max(), rel=0.05)
    kept = [len(nearest(full @ full.T, row) & nearest(signs @ signs.T, row)) / 10 for row in range(64)]
    assert measured.neighbors == pytest.approx(np.mean(kept), abs=0.02)
    assert 0 < facts["int8"].quantization.largest < 1e-2 < measured.largest
    assert facts["int8"].quantization.neighbors > measured.neighbors


def nearest(similarity, row):
    others = np.where(np.arange(len(similarity)) == row, -np.inf, similarity[row])
    return set(np.argsort(-others, kind="stable")[:10])


# --- located ----------------------------------------------------------------------------------------------


def test_every_setting_of_storage_is_a_model_of_its_own(tiny):
    models = [
        located(str(tiny), truncate_dim=dimensions, precision=precision)
        for dimensions in (None, 8, 16)
        for precision in ("float32", "int8", "uint8", "binary", "ubinary")
    ]
    assert len({model.fingerprint for model in models}) == len({model.name for model in models}) == 15
    assert [model.name for model in models][:7] == [
        "tiny", "tiny-int8", "tiny-uint8", "tiny-binary", "tiny-ubinary", "tiny-8", "tiny-8-int8",
    ]  # fmt: skip


def test_a_name_of_the_users_stays_as_it_is(tiny):
    assert located(f"small={tiny}", truncate_dim=8).name == "small"


def test_the_fingerprint_of_a_shorter_model_changes_with_its_content(tiny, tmp_path):
    other = build_model(tmp_path / "other", seed=5)
    assert located(str(tiny), truncate_dim=8).fingerprint != located(str(other), truncate_dim=8).fingerprint


def test_a_scheme_does_not_see_how_embeddings_are_stored():
    seen = []
    scheme = ModelScheme("letters", "", lambda spec: seen.append(spec) or LetterModel(), ALL_SETTINGS)
    spec = ModelSpec("letters", "", "mine", Settings(truncate_dim=3, precision="binary", max_seq_length=9))
    model = locate_model(spec, {"letters": scheme})
    assert (model.name, model.spec) == ("mine", spec)
    assert seen == [ModelSpec("letters", "", "mine", Settings(max_seq_length=9))]
    assert model.load().encode(["abba"]).tolist() == [[1, 1, -1]]


def test_dimensions_without_an_order_cannot_be_cut():
    with pytest.raises(HarnessError, match="the lexical model does not support --truncate-dim"):
        located("lexical", truncate_dim=8)
    model = located("lexical", precision="binary").load()
    assert model.encode(["word"]).shape == (1, 4096)


def test_an_unknown_precision_names_those_that_there_are(tiny):
    with pytest.raises(HarnessError, match="no precision named 'int4'") as error:
        located(str(tiny), precision="int4")
    assert "float32" in str(error.value)


def test_models_that_differ_in_storage_alone_share_an_encoding(tiny, tmp_path):
    other = build_model(tmp_path / "other", seed=5)
    models = [
        located(str(tiny)),
        located(str(other)),
        located(str(tiny), precision="int8"),
        located(f"named={tiny}", truncate_dim=8),
        located(str(tiny), truncate_dim=8, max_seq_length=16),
        located(f"again={tiny}"),
    ]
    groups = [[model.name for model in group] for group in by_encoding(models)]
    assert groups == [["tiny", "tiny-int8", "named", "again"], ["other"], ["tiny-8"]]


def test_another_name_of_a_model_is_a_view_with_that_name(tiny):
    first, second = located(f"first={tiny}"), located(f"second={tiny}")
    loaded = first.load()
    view = view_of(second, loaded, loaded.encode)
    assert view_of(first, loaded, loaded.encode) is loaded
    assert (view.name, view.fingerprint, view.facts) == ("second", second.fingerprint, loaded.facts)
    assert view.encode(TEXTS, Role.QUERY).tolist() == loaded.encode(TEXTS, Role.QUERY).tolist()
    rows = view.encode(TEXTS)
    assert view.similarity(rows, rows).tolist() == loaded.similarity(rows, rows).tolist()
