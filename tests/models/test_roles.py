"""A role is encoded as `encode`, `encode_query` or `encode_document` would, whatever prompts there are."""

from __future__ import annotations

import json

import numpy as np
import pytest
from conftest import build_model
from sentence_transformers import SentenceTransformer

from harness import HarnessError, Role, load_model

TEXTS = ["", "a", "hello there, general", "one two three " * 40, "short one"]
EQUAL = 1e-5

CASES = {
    "an empty prompt counts as set": ({"query": "find this: ", "document": ""}, "query"),
    "a default prompt is for encode alone": ({"sts": "compare: "}, "sts"),
    "a prompt for passages is unknown": ({"query": "find this: ", "passage": "read this: "}, None),
    "a prompt for the corpus is unknown": ({"query": "find this: ", "corpus": "read this: "}, "query"),
    "both roles have one": ({"query": "find this: ", "document": "read this: "}, "document"),
    "no role has one": ({}, None),
    "null is an empty prompt": ({"query": None, "document": "read this: "}, None),
}
"""Sentence → prompts and default prompt of a configuration."""


def configured(folder, **changes):
    """Change the sentence-transformers configuration of a folder, as an author does by hand."""
    file = folder / "config_sentence_transformers.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return folder


def original(folder, **options) -> SentenceTransformer:
    return SentenceTransformer(str(folder), device="cpu", local_files_only=True, **options)


def assert_each_role_is_public(model, reference, **options):
    """Hold every role against the public method of its own, with the options that both know."""
    for role, encode in (
        (Role.TEXT, reference.encode),
        (Role.QUERY, reference.encode_query),
        (Role.DOCUMENT, reference.encode_document),
    ):
        np.testing.assert_allclose(model.encode(TEXTS, role), encode(TEXTS, **options), atol=EQUAL)


def codes(model):
    return [finding.code for finding in model.facts.findings]


@pytest.mark.slow
@pytest.mark.parametrize("pooled", [True, False], ids=["pooled", "not pooled"])
@pytest.mark.parametrize(("prompts", "default"), CASES.values(), ids=CASES)
def test_every_role_has_the_prompt_of_its_public_method(tmp_path, prompts, default, pooled):
    folder = build_model(tmp_path / "model")
    configured(folder, prompts=prompts, default_prompt_name=default)
    pooling = folder / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({**json.loads(pooling.read_text()), "include_prompt": pooled}))
    model = load_model(str(folder))
    assert (model.facts.backend, model.facts.notes) == ("packed", ())
    assert_each_role_is_public(model, original(folder))


@pytest.mark.parametrize("backend", ["packed", "batched", "plain"])
def test_every_backend_takes_the_prompt_of_the_public_method(tmp_path, backend):
    folder = configured(
        build_model(tmp_path / "model"), prompts={"sts": "compare: "}, default_prompt_name="sts"
    )
    assert_each_role_is_public(load_model(str(folder), backend=backend), original(folder))


def test_prompts_move_embeddings_so_that_another_prompt_would_be_seen(tmp_path):
    folder = configured(
        build_model(tmp_path / "model"), prompts={"sts": "compare: "}, default_prompt_name="sts"
    )
    model = load_model(str(folder))
    assert np.abs(model.encode(TEXTS) - model.encode(TEXTS, Role.DOCUMENT)).max() > 1e-2
    assert [model.same_as(role) for role in Role] == [Role.TEXT, Role.QUERY, Role.QUERY]


def test_a_prompt_for_passages_that_is_not_used_is_a_finding_with_the_option_that_uses_it(tmp_path):
    folder = build_model(tmp_path / "model")
    configured(folder, prompts={"query": "find this: ", "passage": "read this: "})
    (finding,) = load_model(str(folder)).facts.findings
    assert finding.code == "unused-prompt"
    assert "encode_document gives texts of role document no prompt" in finding.evidence
    assert finding.remedy == "--prompt document='read this: ' uses it."
    model = load_model(
        str(folder),
        prompts={
            "document": "read this: ",
        },
    )
    assert codes(model) == []
    expected = original(folder).encode(TEXTS, prompt="read this: ")
    np.testing.assert_allclose(model.encode(TEXTS, Role.DOCUMENT), expected, atol=EQUAL)


@pytest.mark.parametrize(
    ("prompts", "role"),
    [
        pytest.param({"search_query": "find: "}, "query", id="for searches"),
        pytest.param({"search_document": "read: "}, "document", id="for documents, by another name"),
        pytest.param({"sts": "compare: "}, None, id="for neither"),
        pytest.param({"document": "read: ", "passage": "see: "}, None, id="the role has another"),
    ],
)
def test_an_unused_prompt_is_found_by_the_role_that_its_name_means(tmp_path, prompts, role):
    model = load_model(str(configured(build_model(tmp_path / "model"), prompts=prompts)))
    remedies = [finding.remedy for finding in model.facts.findings]
    assert len(remedies) == (role is not None)
    assert all(remedy.startswith(f"--prompt {role}=") for remedy in remedies)


def test_an_empty_prompt_of_the_user_is_a_choice_and_no_finding(tmp_path):
    folder = configured(build_model(tmp_path / "model"), prompts={"passage": "read: "})
    assert (
        codes(
            load_model(
                str(folder),
                prompts={
                    "document": "",
                },
            )
        )
        == []
    )


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("prompt", ["say: ", ""])
def test_a_prompt_of_the_user_is_what_encode_does_with_it(tmp_path, role, prompt):
    folder = configured(
        build_model(tmp_path / "model", prompts={"query": "find this: ", "document": "read this: "}),
        default_prompt_name="query",
    )
    model = load_model(
        str(folder),
        prompts={
            role: prompt,
        },
    )
    expected = original(folder).encode(TEXTS, prompt=prompt)
    np.testing.assert_allclose(model.encode(TEXTS, role), expected, atol=EQUAL)


def test_a_role_without_a_route_is_refused_where_it_is_asked_for_and_nowhere_else(tmp_path):
    from sentence_transformers.base.modules import Router

    parts = list(original(build_model(tmp_path / "part")))
    router = Router({"document": parts}, default_route="document")
    SentenceTransformer(modules=[router], device="cpu").save_pretrained(
        str(tmp_path / "router"), create_model_card=False
    )
    model, reference = load_model(str(tmp_path / "router")), original(tmp_path / "router")
    np.testing.assert_allclose(model.encode(TEXTS), reference.encode(TEXTS), atol=EQUAL)
    with pytest.raises(ValueError, match="No route found for task type 'query'"):
        reference.encode_query(TEXTS)
    with pytest.raises(HarnessError, match="cannot encode texts of role query: ValueError: No route found"):
        model.encode(TEXTS, Role.QUERY)


# --- dimensions, lengths and similarity -------------------------------------------------------------------

SHAPES = {
    "the flag": ({"truncate_dim": 8}, None),
    "the configuration": ({}, 8),
    "the flag before the configuration": ({"truncate_dim": 20}, 8),
    "the configuration, beyond its dimensions": ({}, 100),
    "normalized": ({"normalize": True}, None),
    "truncated and normalized": ({"truncate_dim": 8, "normalize": True}, None),
}


@pytest.mark.parametrize("backend", ["auto", "batched", "plain"])
@pytest.mark.parametrize(("flags", "configuration"), SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("unit", [True, False], ids=["unit vectors", "of any length"])
def test_embeddings_are_cut_and_scaled_as_encode_does(tmp_path, flags, configuration, unit, backend):
    folder = build_model(tmp_path / "model", normalize=unit, similarity="dot")
    configured(folder, truncate_dim=configuration)
    model = load_model(str(folder), backend=backend, **flags)
    reference = original(folder, truncate_dim=flags.get("truncate_dim"))
    assert model.facts.backend == {"auto": "packed"}.get(backend, backend)
    assert model.facts.dimensions == reference.get_embedding_dimension()
    assert_each_role_is_public(model, reference, normalize_embeddings="normalize" in flags)
    lengths = np.linalg.norm(model.encode(TEXTS), axis=1)
    if "normalize" in flags:
        np.testing.assert_allclose(lengths, 1, atol=1e-6)
    elif model.facts.dimensions == 8:
        assert (np.abs(lengths - 1) > 1e-3).all()


@pytest.mark.parametrize("configuration", [-8, 0, "8", 8.5, True])
def test_a_truncation_that_is_no_number_of_dimensions_is_an_error(tmp_path, configuration):
    folder = configured(build_model(tmp_path / "model"), truncate_dim=configuration)
    with pytest.raises(HarnessError, match="its configuration sets truncate_dim to"):
        load_model(str(folder))
    assert load_model(str(folder), truncate_dim=4).facts.dimensions == 4


@pytest.mark.parametrize("similarity", ["cosine", "dot", "euclidean", "manhattan"])
def test_the_similarity_of_the_user_replaces_the_models(tmp_path, similarity):
    folder = build_model(tmp_path / "model", similarity="dot", normalize=False)
    model = load_model(str(folder), similarity=similarity)
    reference = original(folder, similarity_fn_name=similarity)
    rows = model.encode(TEXTS)
    assert model.facts.similarity == similarity
    np.testing.assert_allclose(model.similarity(rows, rows), reference.similarity(rows, rows), rtol=1e-5)
    np.testing.assert_allclose(
        model.pairwise_similarity(rows, rows[::-1].copy()),
        reference.similarity_pairwise(rows, rows[::-1].copy()),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    ("named", "option"),
    [
        ("dot_product", "--similarity dot "),
        ("cos_sim", "--similarity cosine "),
        ("maxsim", "--similarity cosine|dot|euclidean|manhattan "),
        (7, "--similarity cosine|dot|euclidean|manhattan "),
    ],
)
def test_a_similarity_that_does_not_exist_is_a_finding_and_cosine_is_used(tmp_path, named, option):
    folder = configured(build_model(tmp_path / "model"), similarity_fn_name=named)
    model = load_model(str(folder))
    (finding,) = model.facts.findings
    assert (finding.code, model.facts.similarity) == ("unknown-similarity", "cosine")
    assert original(folder).similarity_fn_name == "cosine"
    assert repr(str(named)) in finding.evidence
    assert finding.remedy.startswith(option)
    assert codes(load_model(str(folder), similarity="dot")) == []


@pytest.mark.parametrize("named", ["cosine", "dot", None])
def test_a_similarity_that_exists_is_no_finding(tmp_path, named):
    folder = configured(build_model(tmp_path / "model"), similarity_fn_name=named)
    assert codes(load_model(str(folder))) == []
