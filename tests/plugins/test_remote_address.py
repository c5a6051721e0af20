"""Addresses of servers, keys and waits: what is read, what is refused, and what stays secret."""

from __future__ import annotations

import datetime as dt

import pytest

from harness import HarnessError, Settings
from harness.authoring import ModelSpec
from harness.models.locate import locate_model, parse_model
from harness.plugins.loader import load_plugins
from harness_remote.address import read_address
from harness_remote.model import LocatedRemote
from harness_remote.settings import Limits, key_for, read_limits
from harness_remote.waiting import asked_wait, seconds_to_wait


@pytest.mark.parametrize(
    ("text", "url", "model", "name"),
    [
        ("http:http://localhost:8080/v1#m", "http://localhost:8080/v1/embeddings", "m", "m"),
        ("http:https://host/v1#BAAI/bge-m3", "https://host/v1/embeddings", "BAAI/bge-m3", "bge-m3"),
        ("https://Host/v1/#m", "https://host/v1/embeddings", "m", "m"),
        ("http://localhost:8080#m", "http://localhost:8080/v1/embeddings", "m", "m"),
        ("https:https://host:443/v1/embeddings#m", "https://host/v1/embeddings", "m", "m"),
        ("http://[::1]:80/api#m", "http://[::1]/api/embeddings", "m", "m"),
        ("https://host/v1?api-version=1#m", "https://host/v1/embeddings?api-version=1", "m", "m"),
        ("mine=https://host/v1#m", "https://host/v1/embeddings", "m", "mine"),
    ],
)
def test_an_address_may_be_written_with_or_without_the_scheme_before_it(text, url, model, name):
    schemes = load_plugins().model_schemes()
    located = locate_model(parse_model(text, schemes), schemes)
    assert located.client.address.url("embeddings") == url
    assert located.client.address.model == model
    assert located.name == name


@pytest.mark.parametrize(
    ("location", "sentence"),
    [
        ("", "not an address"),
        ("localhost:8080/v1#m", "not an address"),
        ("ftp://host/v1#m", "not an address"),
        ("https:///v1#m", "not an address"),
        ("https://host:port/v1#m", "not an address"),
        ("https://[::1/v1#m", "not an address"),
        ("https://host/v1", "no model is named behind https://host/v1"),
        ("https://host/v1#", "no model is named"),
    ],
)
def test_what_is_not_an_address_of_a_model_is_refused(location, sentence):
    with pytest.raises(HarnessError, match=sentence):
        read_address("http", location)


@pytest.mark.parametrize(
    "location",
    [
        "https://me:hush-4711@host/v1#m",
        "https://hush-4711@host/v1#m",
        "//hush-4711@host/v1#m",
        "https://host/v1?api_key=hush-4711#m",
        "https://host/v1?code=1&access-token=hush-4711#m",
        "https://host:hush-4711/v1#m",
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(location):
    with pytest.raises(HarnessError) as caught:
        read_address("https", location)
    assert "hush-4711" not in str(caught.value)


def fingerprint(location, **settings):
    return LocatedRemote.at(ModelSpec("http", location, settings=Settings(**settings))).fingerprint


def test_a_fingerprint_is_of_address_model_revision_and_settings_and_not_of_how_it_is_asked(monkeypatch):
    plain = fingerprint("https://host/v1#m")
    others = [
        fingerprint("http://host/v1#m"),
        fingerprint("https://other/v1#m"),
        fingerprint("https://host/v1#n"),
        fingerprint("https://host/v1?api-version=2#m"),
        fingerprint("https://host/v1#m", revision="1"),
        fingerprint("https://host/v1#m", revision="2"),
        fingerprint("https://host/v1#m", prompts=(("query", "q: "),)),
    ]
    assert len({plain, *others}) == 8
    monkeypatch.setenv("HARNESS_API_KEY", "another-key")
    monkeypatch.setenv("HARNESS_REMOTE_BATCH", "7")
    assert fingerprint("https://HOST:443/v1/embeddings#m") == plain


def test_a_model_is_identified_by_a_declared_revision_alone():
    for revision in (None, "2026-11"):
        spec = ModelSpec("http", "https://host/v1#m", settings=Settings(revision=revision))
        assert LocatedRemote.at(spec).identified is (revision is not None)


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("https://host/v1#m", True),
        ("http://localhost:8080/v1#m", True),
        ("http://127.0.0.2/v1#m", True),
        ("http://[::1]/v1#m", True),
        ("http://host/v1#m", False),
        ("http://localhost.evil.example/v1#m", False),
        ("http://10.0.0.1/v1#m", False),
    ],
)
def test_a_key_is_sent_where_no_one_can_read_it_on_the_way(monkeypatch, address, sent):
    monkeypatch.delenv("HARNESS_API_KEY", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", "second")
    key = key_for(read_address("http", address))
    assert key.headers() == ({"Authorization": "Bearer second"} if sent else {})
    assert "second" not in repr(key)
    monkeypatch.setenv("HARNESS_API_KEY", " first\n")
    assert key_for(read_address("http", address)).headers().get("Authorization") == (
        "Bearer first" if sent else None
    )


def test_a_key_that_no_header_can_hold_is_refused_and_not_repeated(monkeypatch):
    monkeypatch.setenv("HARNESS_API_KEY", "hush\r\nX: 4711")
    with pytest.raises(HarnessError, match=r"^HARNESS_API_KEY holds a space") as caught:
        key_for(read_address("http", "https://host/v1#m")).headers()
    assert "4711" not in str(caught.value)


def test_how_much_is_asked_at_once_comes_from_the_environment_and_threads(monkeypatch):
    assert read_limits() == Limits()
    assert read_limits("8").requests == 8
    assert read_limits("3x2").requests == 3
    monkeypatch.setenv("HARNESS_REMOTE_REQUESTS", "2")
    monkeypatch.setenv("HARNESS_REMOTE_BATCH", "10")
    monkeypatch.setenv("HARNESS_REMOTE_TIMEOUT", "5")
    assert read_limits() == Limits(batch=10, requests=2, timeout=5.0)
    assert read_limits("8").requests == 8
    for value in ("0", "many", "-1", "1e3", "99999"):
        monkeypatch.setenv("HARNESS_REMOTE_BATCH", value)
        with pytest.raises(HarnessError, match="HARNESS_REMOTE_BATCH must be a whole number from 1 to 4,096"):
            read_limits()


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": "Mon, 30 Nov 2026 12:00:30 GMT"}, 30),
        ({"retry-after": "Mon, 30 Nov 2026 12:00:30 GMT", "date": "Mon, 30 Nov 2026 12:00:20 GMT"}, 10),
        ({"retry-after": "Mon, 30 Nov 2026 11:00:00 GMT"}, 0),
        ({"retry-after": "a while"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "٣"}, None),
        ({"retry-after": "Mon, 99 Nov 2026"}, None),
        ({}, None),
    ],
)
def test_a_wait_is_asked_for_in_seconds_or_until_a_date_by_the_servers_clock(headers, seconds):
    assert asked_wait(headers, dt.datetime(2026, 11, 30, 12, 0, 0, tzinfo=dt.UTC)) == seconds


def test_waits_grow_are_spread_and_end():
    assert [seconds_to_wait(attempt, None, 0.0) for attempt in (1, 2, 3, 4)] == [0.5, 1, 2, 4]
    assert seconds_to_wait(1, None, 1.0) == 0.25
    assert seconds_to_wait(30, None, 0.0) == 60
    assert seconds_to_wait(1, 5.0, 0.5) == pytest.approx(5.25)
    assert seconds_to_wait(1, 9999.0, 0.0) == 60
