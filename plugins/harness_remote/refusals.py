"""What it means that a server did not answer with embeddings, and what a user can do about it."""

from __future__ import annotations

import json
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from harness_remote.mask import KEYS, hidden, masked_error, said
from harness_remote.waiting import asked_wait

if TYPE_CHECKING:
    from collections.abc import Mapping

    from harness import HarnessError
    from harness_remote.settings import Key

    Remedy = Literal["again", "smaller", "floats", "model", "key", "none"]

_AGAIN = {408, 409, 425, 429}
_OF_TEXTS = {400, 413, 422}
_SPENT = re.compile(r"insufficient_quota|billing", re.IGNORECASE)
"""Says that the account is empty: no waiting helps."""
_SIZE = re.compile(
    r"too (long|large|many|big|short)|max|exceed|context|batch|limit|tokens|length|empty|blank|input",
    re.IGNORECASE,
)
_NO_MODEL = re.compile(
    r"model.*(not found|not exist|unknown|not supported|invalid)|(unknown|invalid|no such) model",
    re.IGNORECASE,
)
_ENCODING = re.compile(r"encoding_format|base64", re.IGNORECASE)


class TroubleError(Exception):
    """A request without embeddings.

    remedy: what may help: the same again, fewer texts at once, numbers in place of base64, another model or
    key. what: what happened, without what the server says: `500 Internal Server Error`. said: what the server
    says, shortened and without the key; it may quote texts. wait: seconds that the server asks to wait.
    """

    def __init__(self, remedy: Remedy, what: str, said: str = "", wait: float | None = None) -> None:
        super().__init__(f"{what}: {said}" if said else what)
        self.remedy, self.what, self.said, self.wait = remedy, what, said, wait


def trouble_of(status: int, headers: Mapping[str, str], body: bytes) -> TroubleError:
    """Return what a status other than 200 means, with what the server says."""
    words, code = _message(body)
    quote = said(words)
    name = next((each.phrase for each in HTTPStatus if each == status), "")
    what = f"{status} {name}".strip()
    if 300 <= status < 400:
        return TroubleError("none", f"{what}, which leads to {_target(headers.get('location', ''))}")
    if status == 429 and _SPENT.search(f"{code} {words}"):
        return TroubleError("none", what, quote)
    if status in _AGAIN or status >= 500:
        return TroubleError("again", what, quote, asked_wait(headers))
    if status in (401, 403):
        return TroubleError("key", what, quote)
    if status in _OF_TEXTS and _ENCODING.search(words):
        return TroubleError("floats", what, quote)
    if status == 404 or (status in _OF_TEXTS and _NO_MODEL.search(f"{code} {words}")):
        return TroubleError("model", what, quote)
    if status == 413 or (status in _OF_TEXTS and _SIZE.search(f"{code} {words}")):
        return TroubleError("smaller", what, quote)
    return TroubleError("none", what, quote)


def key_error(name: str, trouble: TroubleError, key: Key) -> HarnessError:
    """Return the error for a server that wants another key, or any."""
    if key.withheld and key.variable:
        hint = f"the key in {key.variable} was not sent, since http:// can be read on the way: is there an https://?"
    elif key.variable:
        hint = f"it was sent the key in {key.variable}: is it this server's, and may it use the model?"
    else:
        hint = f"set {KEYS[0]} to its key (or {KEYS[1]})"
    return error_of(f"{name}: the server does not let us in: {trouble.what}", trouble, hint=hint)


def text_error(name: str, trouble: TroubleError, text: str) -> HarnessError:
    """Return the error for a single text that the server refuses."""
    start = said(text, 60).removesuffix("…")
    return masked_error(
        f"{name}: the server refuses a text of {len(text):,} characters, {start!r}…: {trouble}",
        hint="let the server cut long texts, as its options say; or leave out the task, or the text",
        without_texts=f"{name}: the server refuses a text of {len(text):,} characters: {trouble.what}",
    )


def error_of(
    message: str, trouble: TroubleError, *, exists: str | None = None, hint: str | None = None
) -> HarnessError:
    """Return an error that repeats what the server says, which a run with `--no-texts` leaves out."""
    full = f"{message}: {trouble.said}" if trouble.said else message
    return masked_error(full, exists=exists, hint=hint, without_texts=message)


def _message(body: bytes) -> tuple[str, str]:
    """Return what an answer says of its failure, and its code: of JSON, the fields that servers use."""
    text = body.decode(errors="replace").strip()
    if text[:1] == "<":
        return "(a web page)", ""
    try:
        content = json.loads(text)
        return _words(content), str(_field(content, "code") or _field(content, "type") or "")
    except (ValueError, RecursionError):
        return text, ""


def words_of(content: Any) -> str:  # noqa: ANN401 - any JSON
    """Return what an answer says of its failure, as `said` shortens it; empty where it says nothing."""
    try:
        return said(_words(content))
    except RecursionError:
        return ""


def _words(content: Any) -> str:  # noqa: ANN401 - any JSON
    if isinstance(content, dict):
        for name in ("error", "message", "detail", "error_msg", "msg"):
            if name in content:
                return _words(content[name])
    if isinstance(content, list) and content:
        return _words(content[0])
    return content if isinstance(content, str) else json.dumps(content) if content else ""


def _field(content: Any, name: str) -> Any:  # noqa: ANN401 - any JSON
    if not isinstance(content, dict):
        return None
    return content.get(name) or _field(content.get("error"), name)


def _target(location: str) -> str:
    """Return where a redirect leads, without parameters, which may be secrets."""
    try:
        parts = urlsplit(hidden(location))
    except ValueError:
        return "no address"
    where = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if parts.netloc else ""
    return said(f"{where}{parts.path}") or "no address"
