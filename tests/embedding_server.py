"""A server of embeddings on this machine, with a real model behind it, that fails when it is told to."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

KEY = "very-secret-4711"


@dataclass
class Seen:
    """A request that was received."""

    path: str
    headers: dict[str, str]
    question: dict


@dataclass
class EmbeddingServer:
    """What a server does, and what it was asked.

    embed: texts → rows. script: what is done with the next requests, one each; a function of the handler and
    the question that answers itself and returns True, or returns None for the usual answer.
    """

    embed: object
    model: str = "tiny"
    answering: str = ""
    """Name that answers give; `model` where empty."""
    key: str = ""
    """Key that is wanted; empty for none."""
    floats_only: bool = False
    reverse: bool = False
    script: deque = field(default_factory=deque)
    always: object = None
    """As one of `script`, for each request after these."""
    seen: list[Seen] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    released: threading.Event = field(default_factory=threading.Event)
    """Set when the server ends: what hangs goes on."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def name(self) -> str:
        """What `--model` takes."""
        return f"http:{self.url}#{self.model}"

    @property
    def texts(self) -> list[list[str]]:
        """The texts of each request."""
        return [seen.question["input"] for seen in self.seen if "input" in seen.question]


def embeddings(server: EmbeddingServer, question) -> dict:
    """Return the usual answer."""
    rows = server.embed(question["input"])
    floats = server.floats_only or question.get("encoding_format") != "base64"
    data = [
        {
            "object": "embedding",
            "index": index,
            "embedding": row.tolist() if floats else base64.b64encode(row.astype("<f4").tobytes()).decode(),
        }
        for index, row in enumerate(rows)
    ]
    if server.reverse:
        data.reverse()
    return {"object": "list", "data": data, "model": server.answering or server.model}


def fails(status, message="it failed", *, headers=(), **more):
    """Answer with a status and an error as OpenAI's API has it."""

    def act(handler, question):
        handler.reply(status, {"error": {"message": message, **more}}, headers)
        return True

    return act


def says(body, *, kind="application/json", status=200, headers=()):
    """Answer with a body as it is."""

    def act(handler, question):
        handler.reply(status, body, headers, kind)
        return True

    return act


def changes(change):
    """Answer as usual, with what `change` makes of the answer; it may return another one."""

    def act(handler, question):
        answer = embeddings(handler.server.state, question)
        handler.reply(200, change(answer) or answer)
        return True

    return act


def drops(share=0.5):
    """Send a part of the answer, and close the connection."""

    def act(handler, question):
        body = json.dumps(embeddings(handler.server.state, question)).encode()
        handler.start(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        handler.wfile.write(body[: int(len(body) * share)])
        handler.close_connection = True
        return True

    return act


def hangs(handler, question):
    """Answer nothing until the server ends."""
    handler.server.state.released.wait(30)
    handler.close_connection = True
    return True


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        state = self.server.state
        question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with state.lock:
            state.seen.append(
                Seen(self.path, {name.lower(): of for name, of in self.headers.items()}, question)
            )
            act = state.script.popleft() if state.script else state.always
            state.at_once += 1
            state.most_at_once = max(state.most_at_once, state.at_once)
        try:
            if act is not None and act(self, question):
                return
            self.usual(question)
        finally:
            with state.lock:
                state.at_once -= 1

    def usual(self, question):
        state = self.server.state
        if state.key and self.headers.get("Authorization") != f"Bearer {state.key}":
            sent = self.headers.get("Authorization", "")
            self.reply(401, {"error": {"message": f"Incorrect API key provided: {sent}"}})
        elif self.path.partition("?")[0] != "/v1/embeddings":
            self.reply(404, {"detail": "Not Found"})
        elif question["model"] != state.model:
            self.reply(404, {"error": {"message": "no such model", "code": "model_not_found"}})
        else:
            self.reply(200, embeddings(state, question))

    def do_GET(self):
        state = self.server.state
        state.seen.append(Seen(self.path, {name.lower(): of for name, of in self.headers.items()}, {}))
        if self.path == "/v1/models":
            self.reply(200, {"object": "list", "data": [{"id": state.model}, {"id": "another"}]})
        else:
            self.reply(404, {"detail": "Not Found"})

    def reply(self, status, body, headers=(), kind="application/json"):
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.start(status, {"Content-Type": kind, "Content-Length": str(len(content)), **dict(headers)})
        self.wfile.write(content)

    def start(self, status, headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_):
        pass


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    state: EmbeddingServer

    def handle_error(self, request, client_address):
        """Say nothing of a client that hung up: tests do."""


@contextmanager
def serving(embed, **options):
    """Run a server while the body runs; options: fields of `EmbeddingServer`."""
    state = EmbeddingServer(embed, **options)
    with _Quiet(("127.0.0.1", 0), Handler) as server:
        server.state, state.port = state, server.server_port
        thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.01), daemon=True)
        thread.start()
        try:
            yield state
        finally:
            state.released.set()
            server.shutdown()
            thread.join()


def wait_until(holds, seconds=5.0):
    """Return whether something holds within a few seconds."""
    end = time.monotonic() + seconds
    while not holds() and time.monotonic() < end:
        time.sleep(0.01)
    return holds()
