"""Models behind a server: the same embeddings, whatever happens on the way, or one sentence that says why."""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import signal
import threading
import time

import numpy as np
import pytest
from embedding_server import KEY, changes, drops, embeddings, fails, hangs, says, serving

from harness import HarnessError, Role, Settings, load_model
from harness.authoring import ModelSpec
from harness.testing import SmallModel, check_model
from harness_remote.address import read_address
from harness_remote.client import EmbeddingClient
from harness_remote.model import LocatedRemote
from harness_remote.settings import Limits, key_for

TEXTS = [f"Sentence {number} is about {'ferries' * (number % 3)}." for number in range(10)]
LOCAL = SmallModel()


@pytest.fixture(autouse=True)
def no_keys(monkeypatch):
    for name in ("HARNESS_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def server():
    with serving(LOCAL.encode) as running:
        yield running


@pytest.fixture
def waits():
    """Seconds that clients waited, without waiting."""
    return []


@pytest.fixture
def client(server, waits):
    """Make a client of the server, whose waits take no time; options: of `Limits`."""

    async def sleep(seconds):
        waits.append(seconds)
        await asyncio.sleep(0)

    def making(**options):
        address = read_address("http", f"{server.url}#{server.model}")
        return EmbeddingClient("m", address, key_for(address), Limits(**options), sleep)

    return making


def refused(client, texts=TEXTS):
    """Return the error of a request, in words."""
    with pytest.raises(HarnessError) as caught:
        client.embed(texts)
    return str(caught.value)


def located(server, **settings):
    return LocatedRemote.at(ModelSpec("http", f"{server.url}#{server.model}", settings=Settings(**settings)))


@pytest.mark.slow
def test_a_model_behind_a_server_keeps_the_rules_of_models(server):
    check_model(located(server))


@pytest.mark.parametrize(
    "options", [{}, {"floats_only": True}, {"reverse": True}], ids=["base64", "floats", "reordered"]
)
def test_embeddings_are_the_models_bit_for_bit_in_the_order_of_the_texts(server, client, options):
    for name, value in options.items():
        setattr(server, name, value)
    found = client(batch=3).embed(TEXTS)
    assert found.dtype == np.float32
    assert np.array_equal(found, LOCAL.encode(TEXTS))


@pytest.mark.slow
def test_a_real_model_behind_a_server_has_its_own_embeddings_and_similarities(tiny):
    model = load_model(str(tiny))
    with serving(model.encode) as server:
        there = load_model(server.name)
        rows, here = there.encode(TEXTS), model.encode(TEXTS)
        assert np.allclose(rows, here, atol=1e-6)
        assert np.allclose(there.similarity(rows, rows), model.similarity(here, here), atol=1e-5)
        assert np.allclose(
            there.pairwise_similarity(rows[:5], rows[5:]),
            model.pairwise_similarity(here[:5], here[5:]),
            atol=1e-5,
        )


def test_batches_hold_so_many_texts_and_characters_and_no_more_go_out_at_once(server, client):
    client(batch=4, requests=1).embed(TEXTS)
    assert [len(batch) for batch in server.texts] == [4, 4, 2]
    assert server.most_at_once == 1
    server.seen.clear()
    long = ["a" * 30, "b" * 30, "c" * 200, "d"]
    client(characters=64, requests=1).embed(long)
    assert server.texts == [long[:2], long[2:3], long[3:]]


def test_requests_run_side_by_side_up_to_the_limit(server, client):
    server.always = lambda handler, question: time.sleep(0.03)
    client(batch=1, requests=3).embed(TEXTS)
    assert server.most_at_once == 3


def test_a_prompt_is_put_before_each_text_of_its_role(server):
    model = located(server, prompts=(("query", "query: "),)).load()
    assert np.array_equal(model.encode(TEXTS, Role.QUERY), LOCAL.encode([f"query: {text}" for text in TEXTS]))
    assert np.array_equal(model.encode(TEXTS, Role.DOCUMENT), LOCAL.encode(TEXTS))
    assert [model.same_as(role) for role in Role] == [Role.TEXT, Role.QUERY, Role.TEXT]


@pytest.mark.parametrize(
    "trouble",
    [
        pytest.param(fails(500), id="an error of the server"),
        pytest.param(fails(503), id="unavailable"),
        pytest.param(fails(429), id="a limit"),
        pytest.param(drops(), id="a connection that breaks in the middle of an answer"),
        pytest.param(drops(0), id="one that breaks before it"),
        pytest.param(says(b'{"data": [{"index": 0, "embed'), id="JSON that was cut off"),
        pytest.param(says(b"not gzip", headers=(("Content-Encoding", "gzip"),)), id="broken compression"),
    ],
)  # fmt: skip
def test_what_may_work_again_is_tried_again_later_and_later(server, client, waits, trouble):
    server.script.extend([trouble] * 5)
    assert np.array_equal(client(requests=1).embed(TEXTS), LOCAL.encode(TEXTS))
    assert len(server.seen) == 6
    for number, waited in enumerate(waits):
        assert 0.25 * 2**number <= waited <= 0.5 * 2**number


def test_what_never_works_is_given_up_with_what_the_server_said_and_how_far_it_came(server, client):
    asked = client(batch=2, requests=1)
    server.script.extend([None])
    server.always = fails(500, "out of\nmemory " + "x" * 1000)
    found = refused(asked)
    assert len(server.seen) == 7
    assert "m: no embeddings from 127.0.0.1" in found
    assert "in 6 attempts: 500 Internal Server Error: out of memory xxx" in found
    assert "2 texts were embedded before" in found
    assert "x" * 301 not in found
    assert "hint: is the server running" in found


@pytest.mark.parametrize(
    ("header", "wait"), [("2", 2), ("0.5", 0.5), ("3600", 60), ("soon", None), ("-1", None)]
)
def test_a_wait_that_the_server_asks_for_is_kept_up_to_a_minute(server, client, waits, header, wait):
    server.script.append(fails(429, headers=(("Retry-After", header),)))
    client().embed(TEXTS)
    (waited,) = waits
    low, high = (0.25, 0.5) if wait is None else (wait, wait * 1.1)
    assert low <= waited <= high


def test_a_spent_account_is_told_at_once(server, client, waits):
    server.always = fails(429, "You exceeded your current quota", code="insufficient_quota")
    assert "429 Too Many Requests: You exceeded your current quota" in refused(client())
    assert not waits


def test_a_server_that_is_off_is_told(server, client):
    asked = client()
    server.released.set()
    with serving(LOCAL.encode) as other:
        port = other.port
    asked.address = read_address("http", f"http://127.0.0.1:{port}/v1#tiny")
    found = refused(asked)
    assert "in 6 attempts: ConnectError" in found
    assert "embedded before" not in found


def test_an_answer_that_takes_too_long_is_asked_for_again(server, client):
    server.script.append(hangs)
    assert np.array_equal(client(timeout=0.2).embed(TEXTS), LOCAL.encode(TEXTS))
    server.always = hangs
    assert "in 6 attempts: no whole answer within 0.05 s" in refused(client(timeout=0.05))


def wrong(change):
    def changed(answer):
        change(answer["data"])

    return changes(changed)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (wrong(lambda data: data[0].update(embedding=[float("nan")] * 32)), "not finite"),
        (wrong(lambda data: data[0].update(embedding=[1e39] * 32)), "not finite"),
        (wrong(lambda data: data[0].update(embedding=[None] * 32)), "not a list of numbers"),
        (wrong(lambda data: data[0].update(embedding=[[0.5] * 32])), "not a list of numbers"),
        (wrong(lambda data: data[0].update(embedding="?")), "not base64"),
        (wrong(lambda data: data[0].update(embedding="AAA=")), "whole float32 numbers"),
        (wrong(lambda data: data[0].update(embedding=[0.5] * 31)), "31 and 32 dimensions"),
        (wrong(lambda data: data.pop()), "9 embeddings for 10 texts"),
        (wrong(lambda data: data[0].update(index=1)), "an index twice: 1"),
        (wrong(lambda data: data[0].update(index=-1)), "an index that no text has: -1"),
        (says(b"<!doctype html><p>Log in"), "a web page, and not JSON"),
        (says(b"[]"), "a JSON list"),
        (says(b'{"error": "busy"}'), "no embeddings: busy"),
        (says(b" " * (12 << 20)), "more than 11 MiB"),
        (says(gzip.compress(b" " * (12 << 20)), headers=(("Content-Encoding", "gzip"),)), "more than 11 MiB"),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_the_embeddings_is_refused_at_once(server, client, waits, answer, sentence):
    server.always = answer
    assert sentence in refused(client())
    assert not waits


def test_compressed_answers_and_answers_without_an_index_are_read(server, client):
    def without(answer):
        for item in answer["data"]:
            del item["index"]

    server.script.append(changes(without))
    assert np.array_equal(client().embed(TEXTS), LOCAL.encode(TEXTS))
    content = json.dumps(embeddings(server, {"input": TEXTS, "encoding_format": "base64"})).encode()
    server.script.append(says(gzip.compress(content), headers=(("Content-Encoding", "gzip"),)))
    assert np.array_equal(client().embed(TEXTS), LOCAL.encode(TEXTS))


def test_embeddings_of_two_models_are_not_mixed(server, client):
    asked = client()
    asked.embed(TEXTS[:1])
    server.script.append(changes(lambda answer: answer.update(model="newer")))
    assert "with the model 'newer', and before with 'tiny'" in refused(asked)
    server.script.append(wrong(lambda data: [item.update(embedding=[0.5] * 8) for item in data]))
    assert "with 8 dimensions, and before with 32" in refused(asked)


def test_a_server_that_calls_its_model_otherwise_is_noted(server):
    server.answering = "tiny-2026-11-30"
    assert located(server).load().facts.notes == ("asked for tiny, the server answers with tiny-2026-11-30",)


def too_large(most):
    """Refuse more than so many texts."""

    def act(handler, question):
        if len(question["input"]) > most:
            return fails(422, f"batch size {len(question['input'])} > maximum allowed batch size {most}")(
                handler, question
            )
        return None

    return act


@pytest.mark.parametrize("act", [too_large(3), too_large(1)])
def test_a_batch_that_is_too_large_is_halved(server, client, act):
    server.always = act
    assert np.array_equal(client().embed(TEXTS), LOCAL.encode(TEXTS))


@pytest.mark.parametrize(
    ("status", "message"), [(400, "This model's maximum context length is 8192 tokens"), (413, "")]
)
def test_a_text_that_is_too_long_is_named(server, client, status, message):
    def act(handler, question):
        return any(len(text) > 100 for text in question["input"]) and fails(status, message)(
            handler, question
        )

    server.always = act
    found = refused(client(), [*TEXTS, "Once upon a time " * 20])
    assert "refuses a text of 340 characters, 'Once upon a time Once upon a time Once upon" in found
    assert f"…: {status} " in found
    assert message in found


def test_a_blank_text_that_the_server_refuses_has_zeros_and_any_other_its_embedding(server, client):
    def act(handler, question):
        return not all(text.strip() for text in question["input"]) and fails(400, "input cannot be empty")(
            handler, question
        )

    asked = client()
    asked.embed(["a first text"])
    server.always = act
    found = asked.embed([*TEXTS[:3], "", *TEXTS[3:], " \n"])
    assert not found[[3, -1]].any()
    assert np.array_equal(np.delete(found, [3, 11], axis=0), LOCAL.encode(TEXTS))


def test_a_server_without_base64_is_asked_for_numbers(server, client, waits):
    def act(handler, question):
        if question["encoding_format"] != "float":
            return fails(400, "encoding_format must be float")(handler, question)
        return None

    server.always = act
    asked = client()
    assert np.array_equal(asked.embed(TEXTS), LOCAL.encode(TEXTS))
    asked.embed(TEXTS)
    assert len(server.seen) == 3
    assert not waits


def test_a_missing_model_is_told_with_those_that_the_server_has(server):
    server_model, server.model = server.model, "bge-small-en"
    with pytest.raises(HarnessError) as caught:
        LocatedRemote.at(ModelSpec("http", f"{server.url}#bge-smal-en")).probe()
    assert str(caught.value) == (
        "bge-smal-en: the server has no model 'bge-smal-en' for embeddings: 404 Not Found: no such model\n"
        "  did you mean: bge-small-en\n  models: another, bge-small-en"
    )
    assert server_model == "tiny"


def test_a_key_goes_to_the_server_and_nowhere_else(server, client, monkeypatch):
    server.key = KEY
    found = refused(client())
    assert "does not let us in: 401 Unauthorized" in found
    assert "hint: set HARNESS_API_KEY" in found
    monkeypatch.setenv("OPENAI_API_KEY", "another")
    found = refused(client())
    assert "the key in OPENAI_API_KEY" in found
    assert "another" not in found
    assert "Bearer ***" in found
    monkeypatch.setenv("HARNESS_API_KEY", KEY)
    asked = client()
    assert np.array_equal(asked.embed(TEXTS), LOCAL.encode(TEXTS))
    assert KEY not in repr(vars(asked)) + repr(located(server)) + repr(located(server).load().facts)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed_so_that_no_other_host_gets_the_key(server, client, monkeypatch, status):
    monkeypatch.setenv("HARNESS_API_KEY", KEY)
    with serving(LOCAL.encode) as other:
        server.always = fails(status, headers=(("Location", f"{other.url}/embeddings?code=abc"),))
        found = refused(client())
        assert f"leads to {other.url}/embeddings\n" in found
        assert not other.seen


def test_no_proxy_is_asked_for_what_is_on_this_machine(server, client, monkeypatch):
    with serving(LOCAL.encode) as proxy:
        monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        client().embed(TEXTS)
        assert not proxy.seen


def test_ctrl_c_ends_waiting_requests_at_once(server, client):
    server.always = hangs
    signal.signal(signal.SIGINT, signal.default_int_handler)  # another test may have left its own
    threading.Timer(0.3, os.kill, [os.getpid(), signal.SIGINT]).start()
    started = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        client(batch=2).embed(TEXTS)
    assert time.monotonic() - started < 1.5
    assert not [thread for thread in threading.enumerate() if thread.name == "harness-remote"]


def test_one_request_that_fails_ends_the_others(server, client):
    server.script.extend([hangs, fails(400, "no"), hangs])
    started = time.monotonic()
    assert "the server refuses: 400 Bad Request: no" in refused(client(batch=2))
    assert time.monotonic() - started < 2


def test_it_works_where_a_loop_runs_as_in_a_notebook(server, client):
    async def cell():
        return client().embed(TEXTS)

    assert np.array_equal(asyncio.run(cell()), LOCAL.encode(TEXTS))
