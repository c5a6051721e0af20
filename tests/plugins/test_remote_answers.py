"""Answers of servers that are wrong or quote the key: one sentence each, without the key."""

from __future__ import annotations

import asyncio
import base64
import json
import traceback
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from embedding_server import KEY, changes, fails, says, serving

import harness_remote
from harness import HarnessError
from harness.authoring import ModelSpec
from harness.testing import SmallModel
from harness_remote.address import read_address
from harness_remote.answers import PackingError, read_answer
from harness_remote.client import EmbeddingClient
from harness_remote.mask import hidden, said
from harness_remote.model import LocatedRemote
from harness_remote.settings import Limits, key_for
from harness_remote.waiting import asked_wait

TEXTS = ["Ferries leave at dawn.", "Nobody is on board."]
LOCAL = SmallModel()


@pytest.fixture(autouse=True)
def the_key(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    monkeypatch.setenv("HARNESS_API_KEY", KEY)


@pytest.fixture
def server():
    with serving(LOCAL.encode) as running:
        yield running


def error_from(server, model="tiny"):
    """Return the error of a request, whose attempts do not wait."""
    address = read_address("http", f"{server.url}#{model}")
    client = EmbeddingClient("m", address, key_for(address), Limits(), lambda seconds: asyncio.sleep(0))
    with pytest.raises(HarnessError) as caught:
        client.embed(TEXTS)
    return caught.value


def raw(octets):
    """Answer with bytes that may be no HTTP."""

    def act(handler, question):
        handler.wfile.write(octets)
        handler.close_connection = True
        return True

    return act


def lists_the_key(handler, question):
    handler.server.state.model = KEY


@pytest.mark.parametrize(
    "act",
    [
        pytest.param(fails(302, headers=(("Location", f"/v1/{KEY}/embeddings"),)), id="redirect"),
        pytest.param(fails(302, headers=(("Location", f"https://{KEY}.o:x/"),)), id="not an address"),
        pytest.param(lists_the_key, id="a model's name in a list"),
        pytest.param(raw(f"HTTP/1.1 {KEY}\r\n\r\n".encode()), id="status line"),
        pytest.param(raw(f"HTTP/1.1 200 OK\r\n{KEY} \x00: 1\r\n\r\n".encode()), id="header line"),
        pytest.param(fails(400, f"not {KEY[:5]}\x00{KEY[5:]}"), id="broken by a control character"),
        pytest.param(fails(400, "x" * 290 + KEY), id="cut in the middle"),
        pytest.param(says(json.dumps({"error": {"error": KEY}}).encode()), id="no embeddings"),
        pytest.param(says(json.dumps({KEY: 1}).encode()), id="a field's name"),
        pytest.param(says(json.dumps({"data": [{"index": KEY}, {"index": 1}]}).encode()), id="an index"),
    ],
)  # fmt: skip
def test_a_key_that_a_server_quotes_is_in_no_error_and_in_none_behind_it(server, act):
    server.always = act
    error = error_from(server)
    shown = (
        "".join(traceback.format_exception(error)) + str(error) + repr(error.args) + str(error.without_texts)
    )
    assert KEY[:9] not in shown
    assert KEY[-7:] not in shown
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_key_that_a_server_gives_as_its_models_name_is_in_no_note(server):
    server.answering = KEY
    located = LocatedRemote.at(ModelSpec("http", f"{server.url}#tiny"))
    assert located.load().facts.notes == ("asked for tiny, the server answers with ***",)


@pytest.mark.parametrize("key", ["very-secret-4711", "a/b+c=='d\"e\\f", "nnrrtt"])
def test_a_key_is_hidden_as_it_is_and_as_others_escape_it(monkeypatch, key):
    monkeypatch.setenv("HARNESS_API_KEY", key)
    forms = [key, quote(key, safe=""), json.dumps(key)[1:-1], repr(key)[1:-1], repr(f"{key}'\"")[1:-4]]
    forms += [key.replace("/", "\\/"), key[:3] + "\n" + key[3:], key[:3] + "\\x00" + key[3:]]
    forms += ["".join(f"\\u{ord(sign):04X}" for sign in key), "\u200b".join(key)]
    for form in forms:
        assert hidden(f"<{form}>") == "<***>", form
    assert hidden(key[:-1]) == key[:-1]
    assert said("a\n b\x00c" + "d" * 300, 5) == "a b c…"


def test_no_other_module_of_the_plugin_makes_an_error_by_itself():
    folder = Path(harness_remote.__file__).parent
    makers = [
        path.name for path in folder.glob("*.py") if "HarnessError(" in path.read_text(encoding="utf-8")
    ]
    assert makers == ["mask.py"]


def test_an_error_of_an_address_keeps_no_other_error_that_quotes_it():
    with pytest.raises(HarnessError) as caught:
        read_address("https", f"https://host:{KEY}/v1#m")
    assert caught.value.__context__ is None


def embedding(value):
    return json.dumps({"data": [{"index": 0, "embedding": value}]}).encode()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b'{"data":[{"embedding":[1%s]}]}' % (b"0" * 400), "not finite"),
        (b'{"data":[{"embedding":[-1%s, 1]}]}' % (b"0" * 5000), "not finite"),
        (b'{"data":[{"embedding":[1e400]}]}', "not finite"),
        (embedding([True, False]), "not a list of numbers"),
        (embedding(["0.5"]), "not a list of numbers"),
        (embedding([[[1]]]), "not a list of numbers"),
        (embedding({"0": 1}), "not a list of numbers"),
        (embedding(None), "not a list of numbers"),
        (embedding(1), "not a list of numbers"),
        (embedding(True), "not a list of numbers"),
        (embedding([]), "0 dimensions"),
        (embedding(""), "0 dimensions"),
        (b'{"error": %s}' % (b"[" * 900 + b"]" * 900), "no embeddings"),
        (b'{"message": %s1%s}' % (b'{"error":' * 900, b"}" * 900), "no embeddings"),
        (b'{"data": [null]}', "not objects"),
        (b'{"data": {"0": 1}}', "no embeddings: it has 'data'"),
        (b"{}", "no embeddings: it has nothing"),
    ],
)  # fmt: skip
def test_whatever_an_answer_holds_in_place_of_an_embedding_is_one_error(body, sentence):
    with pytest.raises(HarnessError, match=sentence):
        read_answer(body, 1)


@pytest.mark.parametrize("text", ["é", "?", "AAA=", base64.b64encode(b"\x00\x00\xc0\x7f").decode()])
def test_base64_that_is_no_numbers_is_an_error_of_the_format(text):
    with pytest.raises(PackingError):
        read_answer(embedding(text), 1)


@pytest.mark.parametrize(
    ("indexes", "sentence"),
    [
        (["0", "1"], 'not a whole number: "0"$'),
        ([0, 1.0], "not a whole number: 1.0$"),
        ([False, True], "not a whole number: false$"),
        ([[0], [1]], "not a whole number: a list$"),
        ([0, None], "an embedding without an index, and others with one$"),
        ([1, 1], "an index twice: 1$"),
        ([0, 2], "an index that no text has: 2, where 1 is the last$"),
    ],
)
def test_what_is_wrong_with_an_index_is_said(indexes, sentence):
    data = [{"index": index, "embedding": [1]} for index in indexes]
    with pytest.raises(HarnessError, match=sentence):
        read_answer(json.dumps({"data": data}).encode(), 2)


def test_an_error_that_is_nested_without_end_is_an_error_too(server):
    server.always = says(b'{"error":' * 900 + b"1" + b"}" * 900, status=400)
    assert "the server refuses: 400 Bad Request" in str(error_from(server))


def test_a_date_of_many_digits_asks_for_no_wait():
    for text in (f"Mon, 30 Nov {'9' * 20} 11:00:00 GMT", f"Mon, 30 Nov 2026 11:00:00 +{'9' * 20}"):
        assert asked_wait({"retry-after": text}) is None


def packs(kind, *, even=0):
    """Answer in base64 of another kind of numbers where base64 is asked for."""

    def change(answer):
        for item in answer["data"]:
            if isinstance(item["embedding"], str):
                row = np.frombuffer(base64.b64decode(item["embedding"]), "<f4")
                item["embedding"] = base64.b64encode(row[even:].astype(kind).tobytes()).decode()

    return changes(change)


@pytest.mark.parametrize(
    ("act", "words"),
    [
        pytest.param(packs("<f2"), "16 dimensions, and 32 as numbers", id="float16"),
        pytest.param(packs("<f8"), "64 dimensions, and 32 as numbers", id="float64"),
        pytest.param(packs(">f4"), "other values than as numbers", id="big-endian"),
        pytest.param(packs("<f2", even=1), "not of whole float32 numbers", id="float16 of an odd number"),
    ],
)
def test_base64_that_is_not_float32_is_found_by_the_first_text_and_numbers_are_asked_for(server, act, words):
    server.always = act
    model = LocatedRemote.at(ModelSpec("http", f"{server.url}#tiny")).load()
    (note,) = model.facts.notes
    assert note.startswith("numbers are asked for")
    assert words in note or "not finite" in note
    assert model.facts.dimensions == 32
    assert np.array_equal(model.encode(TEXTS), LOCAL.encode(TEXTS))


def test_float32_in_base64_is_asked_for_after_the_first_text_without_a_note(server):
    model = LocatedRemote.at(ModelSpec("http", f"{server.url}#tiny")).load()
    model.encode(TEXTS)
    assert [seen.question["encoding_format"] for seen in server.seen] == ["base64", "float", "base64"]
    assert model.facts.notes == ()


def test_a_server_of_numbers_alone_is_asked_once_for_the_first_text(server):
    server.floats_only = True
    LocatedRemote.at(ModelSpec("http", f"{server.url}#tiny")).probe()
    assert len(server.seen) == 1


def always_packs(handler, question):
    return question.update(encoding_format="base64")


def takes_no_numbers(handler, question):
    if question["encoding_format"] == "float":
        return fails(400, "encoding_format must be base64")(handler, question)
    return None


@pytest.mark.parametrize("act", [always_packs, takes_no_numbers])
def test_base64_that_nothing_can_be_compared_with_is_kept_with_a_note(server, act):
    server.always = act
    model = LocatedRemote.at(ModelSpec("http", f"{server.url}#tiny")).load()
    assert model.facts.notes == (
        "its embeddings are in base64 alone, so that nothing shows whether they are float32",
    )
    assert np.array_equal(model.encode(TEXTS), LOCAL.encode(TEXTS))


def test_an_error_in_numbers_alone_is_told(server):
    def change(answer):
        for item in answer["data"]:
            if isinstance(item["embedding"], list):
                item["embedding"] = [None] * 32

    server.always = changes(change)
    with pytest.raises(HarnessError, match="tiny: the answer has an embedding that is not a list of numbers"):
        LocatedRemote.at(ModelSpec("http", f"{server.url}#tiny")).probe()
