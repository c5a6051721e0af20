"""Keys of services appear in no text that leaves."""

from __future__ import annotations

import json
import re
import warnings
from urllib.parse import quote, quote_plus, urlencode

import msgspec
import pytest

from harness.system.redact import redact, redact_warnings

SECRET = 'pa"ss\\wörd-4711'


@pytest.mark.parametrize(
    "name", ["OPENAI_API_KEY", "HF_TOKEN", "my_secret", "DB_PASSWORD", "AZURE_CREDENTIALS"]
)
def test_the_value_of_a_variable_that_is_named_as_a_secret_is_hidden(monkeypatch, name):
    monkeypatch.setenv(name, "supersecretvalue")
    assert redact("it says supersecretvalue, twice: supersecretvalue") == "it says ***, twice: ***"


def test_a_secret_is_hidden_as_json_and_addresses_spell_it(monkeypatch):
    monkeypatch.setenv("SERVICE_KEY", SECRET)
    assert json.loads(redact(json.dumps({"error": f"refused {SECRET}"}))) == {"error": "refused ***"}
    assert redact(f"GET /v1?auth={quote(SECRET, safe='')}&n=1") == "GET /v1?auth=***&n=1"


HARD = [
    'pä"ssword99',
    "pä\\ssword99",
    "p'a\"ss99",
    "it's-99",
    "pass/word+ä 99!",
    "tab\there99",
    "文'\"\\99word",
]


@pytest.mark.parametrize("secret", HARD)
@pytest.mark.parametrize("around", ["{}", "it's {}", 'a "{}"', "both ' and \" {}"])
def test_a_secret_is_hidden_in_every_form_that_python_spells_it(monkeypatch, secret, around):
    monkeypatch.setenv("DB_PASSWORD", secret)
    whole = around.format(secret)
    spelled = [whole, repr(whole), ascii(whole), json.dumps(whole), json.dumps(whole, ensure_ascii=False)]
    spelled += [spell(form) for spell in (repr, ascii, json.dumps) for form in spelled]
    spelled += [json.dumps({"a": form}, ensure_ascii=False) for form in spelled[:5]]
    spelled += [msgspec.json.encode(form).decode() for form in spelled[:5]]
    spelled += [repr(whole.encode())]
    for form in spelled:
        assert "***" in redact(form)
        assert not any(piece in redact(form) for piece in ("99", "ssword", "here"))


@pytest.mark.parametrize("secret", HARD)
def test_a_secret_is_hidden_in_addresses(monkeypatch, secret):
    monkeypatch.setenv("DB_PASSWORD", secret)
    for form in (quote(secret), quote(secret, safe=""), quote_plus(secret), urlencode({"p": secret})):
        assert redact(form).removeprefix("p=") == "***"
        assert redact(re.sub("%..", lambda code: code[0].lower(), form)).removeprefix("p=") == "***"


def test_a_warning_shows_no_secret(monkeypatch):
    monkeypatch.setenv("SERVICE_KEY", SECRET)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    redact_warnings()
    shown = warnings.formatwarning(f"refused {SECRET}", UserWarning, "a.py", 3, f"warn({SECRET!r})")
    assert shown == "a.py:3: UserWarning: refused ***\n  warn('***')\n"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TOKENIZERS_PARALLELISM", "false"),
        ("SSH_KEY_FILE", "/home/me/.ssh/id"),
        ("KEY_FILE", "../keys/mine"),
        ("TOKEN_LIMIT", "1234567"),
        ("EMPTY_TOKEN", ""),
        ("HOME_FOLDER", "supersecretvalue"),
    ],
)
def test_settings_paths_numbers_and_other_variables_are_no_secrets(monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    text = f"false /home/me/.ssh/id ../keys/mine 1234567 {value}"
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://me:pa55@host/model", "https://***@host/model"),
        ("https://host:80/a@b and me@host", None),
        ("--model x:key=sk-abc123def456", "--model x:key=***"),
        ("x:sk-abc123def456", "x:***"),
        ("hf_AbCdEfGhIjKlMn", "***"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer ***"),
        ("api_key=0123456789abcdef,n=2", "api_key=***,n=2"),
        ("--model key=./candidates/nda-2", None),
        ("monkey=banana12345 sort_key=name --seed=12345678", None),
        ("task-source sk-2 ask-for-something-else", None),
    ],
)
def test_passwords_in_addresses_and_keys_in_arguments_are_hidden_and_nothing_else_is(text, shown):
    assert redact(text) == (text if shown is None else shown)


@pytest.mark.parametrize(
    "address",
    [
        "https://hushhush@host/v1",
        "http:http://hushhush@host/v1#m",
        "https://host/v1?api_key=hushhush#m",
        "https://host/v1?a=1&Access-Token=hushhush&b=2",
        "http://host?X-Amz-Signature=hushhush",
    ],
)
def test_users_and_secret_parameters_of_addresses_are_hidden(address):
    assert redact(f"asked {address} again") == f"asked {address.replace('hushhush', '***')} again"


def test_an_address_without_a_secret_stays_as_it_is():
    for address in ("https://host/v1?api-version=1#m", "ssh://git@host/x", "http://host/a@b", "me@host"):
        assert redact(address) == address
