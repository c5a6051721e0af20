"""Keep keys of services out of all text that leaves: records, journals, tracebacks, errors, output."""

from __future__ import annotations

import json
import os
import re
import warnings
from functools import lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

HIDDEN = "***"
"""What is written in place of a secret."""

_NAMES = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL", re.IGNORECASE)
"""Names of environment variables whose values are secrets."""
_SHORTEST = 6
"""Minimum characters of a secret: TOKENIZERS_PARALLELISM=false has such a name, too."""
_NO_SECRET = re.compile(r"(~|\.{1,2})?/.*|\d+", re.DOTALL)
"""Values that are paths or numbers."""
_PERCENT = re.compile(r"%[0-9A-F]{2}")
_PATTERNS = (
    # A user and a password in an address; in one of the web, whatever is before the @.
    (re.compile(r"(?<=://)[^\s/@'\"\\]+:[^\s/@'\"\\]*(?=@)"), HIDDEN),
    (re.compile(r"(?i)(?<=https://)[^\s/@'\"\\]+(?=@)|(?<=http://)[^\s/@'\"\\]+(?=@)"), HIDDEN),
    # A parameter of an address whose name says what it is.
    (
        re.compile(
            r"(?i)(?<=[?&])([\w.-]*(?:key|token|secret|passw|credential|signature)[\w.-]*=)[^\s&#,'\"\\]+"
        ),
        rf"\1{HIDDEN}",
    ),
    # Keys of well-known services, by how they begin.
    (re.compile(r"\b(?:hf_|sk-|ghp_|glpat-|xox[abp]-|AKIA)[A-Za-z0-9_-]{6,}"), HIDDEN),
    (re.compile(r"(?i)(?<=bearer )[A-Za-z0-9._~+/=-]{8,}"), HIDDEN),
    # `key=VALUE` in a command line, where the value has a digit and is no path.
    (
        re.compile(
            r"(?i)(?<![a-z])((?:(?:api|access|auth|secret)[_-]?)?(?:key|token|secret|password)=)"
            r"(?=[^\s/&,;'\"\\]*\d)[^\s/&,;'\"\\]{8,}"
        ),
        rf"\1{HIDDEN}",
    ),
)


def redact(text: str) -> str:
    """Return a text without secrets, each replaced by `***`.

    Secrets are the values of environment variables named *KEY*, *TOKEN*, *SECRET*, *PASSWORD* or
    *CREDENTIAL*, of at least 6 characters, that are not paths or numbers; users, passwords and parameters
    such as `?api_key=…` in addresses;
    keys by how they begin (`hf_…`, `sk-…`); and `key=…`, `token=…` with a digit in the value.
    A value is found as it is, and as JSON, `repr`, `ascii` and percent-encoding spell it.
    """
    for secret in _secrets(tuple((name, value) for name, value in os.environ.items() if _NAMES.search(name))):
        text = text.replace(secret, HIDDEN)
    for pattern, hidden in _PATTERNS:
        text = pattern.sub(hidden, text)
    return text


@lru_cache(maxsize=4)
def _secrets(variables: tuple[tuple[str, str], ...]) -> tuple[str, ...]:
    """Return the secrets of variables in all their forms; longest first."""
    values = {value for _, value in variables if len(value) >= _SHORTEST and not _NO_SECRET.fullmatch(value)}
    spelled = {form for value in values for form in _forms(value)}
    return tuple(sorted(spelled, key=lambda form: (-len(form), form)))


def _forms(value: str) -> set[str]:
    """Return a text as JSON, `repr` and addresses spell it, and as JSON and `repr` spell those."""
    percent = {quote(value, safe=safe, errors="surrogateescape") for safe in ("", "/", "!'()*", "/!'()*")} | {
        quote_plus(value, errors="surrogateescape")
    }
    lower = {_PERCENT.sub(lambda code: code[0].lower(), form) for form in percent}
    escaped = _escaped(value)
    nested = {outer for form in escaped for outer in _escaped(form)}
    return {value, *percent, *lower, *escaped, *nested}


def _escaped(text: str) -> set[str]:
    """Return a text as it stands inside of a JSON string and of what `repr` and `ascii` return."""
    # With both quotation marks in the text, repr escapes the single ones; else neither.
    shown = {spell(f"{text}\"'")[1:-4] for spell in (repr, ascii)}
    shown |= {form.replace("\\'", "'") for form in shown}
    octets = str(text.encode(errors="surrogateescape"))[2:-1]
    return {text, octets, *shown, *(json.dumps(text, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False))}


def redact_warnings() -> None:
    """Show warnings without secrets from now on: one of a plugin may quote them."""
    warnings.formatwarning = _format_warning


def _format_warning(*of: Any, **more: Any) -> str:  # noqa: ANN401 - the arguments of formatwarning
    return redact(_FORMAT_WARNING(*of, **more))


_FORMAT_WARNING = warnings.formatwarning
