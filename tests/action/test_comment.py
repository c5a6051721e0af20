"""The comment on a pull request: one, whatever GitHub does."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from harness import HarnessError
from harness.action import comment as module
from harness.action.comment import MOST, PullRequestComments, comment_body, pull_request

OURS = "github-actions[bot]"


class FakeGitHub:
    """GitHub's comments of one pull request: answers in `faults` come first."""

    def __init__(self):
        self.comments, self.faults, self.requests = [], [], []

    def add(self, login, body):
        made = {"id": len(self.comments) + 1, "user": {"login": login}, "body": body}
        made["html_url"] = f"https://github.com/o/r/pull/7#issuecomment-{made['id']}"
        self.comments.append(made)
        return made

    def answer(self, method, path, body):
        route, _, query = path.partition("?")
        if (method, route) == ("GET", "/repos/o/r/issues/7/comments"):
            page = int(query.rpartition("page=")[2])
            return 200, self.comments[(page - 1) * 100 : page * 100]
        if (method, route) == ("POST", "/repos/o/r/issues/7/comments"):
            return 201, self.add(OURS, body["body"])
        known = {f"/repos/o/r/issues/comments/{one['id']}": one for one in self.comments}
        if method == "PATCH" and route in known:
            known[route].update(body)
            return 200, known[route]
        return 404, {}


@contextmanager
def serving(github):
    class Handler(BaseHTTPRequestHandler):
        def handle_any(self):
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            github.requests.append((self.command, self.path, self.headers["Authorization"]))
            code, answer = (
                github.faults.pop(0) if github.faults else github.answer(self.command, self.path, body)
            )
            content = json.dumps(answer).encode()
            self.send_response(code)
            if code == 302:
                self.send_header("Location", f"http://{self.headers['Host']}/elsewhere")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PATCH = handle_any  # noqa: N815 - the server's names

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def github():
    return FakeGitHub()


@pytest.fixture
def put(github, monkeypatch):
    monkeypatch.setattr(module, "_WAIT", 0.0)

    def putting(report, key="ci / compare"):
        with serving(github) as api:
            body = comment_body(report, key)
            return PullRequestComments(api, "o/r", 7, "t0ken").put(body, key, OURS)

    return putting


def test_a_second_report_updates_the_first_comment(put, github):
    first, second = put("one"), put("two")
    assert first == second == "https://github.com/o/r/pull/7#issuecomment-1"
    assert [one["body"] for one in github.comments] == ["<!-- harness-action: ci / compare -->\ntwo"]
    assert {token for _, _, token in github.requests} == {"Bearer t0ken"}


def test_another_job_has_a_comment_of_its_own(put, github):
    put("one")
    put("two", key="nightly")
    assert len(github.comments) == 2


def test_somebody_elses_comment_with_our_mark_is_left_alone(put, github):
    fake = github.add("mallory", comment_body("all is well", "ci / compare"))["body"]
    put("it fails")
    assert [one["body"] for one in github.comments] == [fake, comment_body("it fails", "ci / compare")]


def test_a_comment_behind_a_hundred_others_is_found(put, github):
    for _ in range(150):
        github.add("somebody", "hello")
    put("one")
    put("two")
    assert len(github.comments) == 151


def test_what_can_be_repeated_is_repeated(put, github):
    put("one")
    github.faults = [(502, {}), (503, {})]
    put("two")
    assert [one["body"].splitlines()[1] for one in github.comments] == ["two"]


@pytest.mark.parametrize(
    ("faults", "said"),
    [
        pytest.param([(403, {})], "403", id="may only read"),
        pytest.param([(500, {})] * 3, "500", id="down"),
        pytest.param([(200, []), (500, {})], "500 to POST", id="a post is not repeated"),
        pytest.param([(302, {})], "302", id="a redirection would take the token along"),
        pytest.param([(200, {"message": "hm"})], "not a list of comments", id="another answer"),
    ],
)
def test_a_refusal_is_an_error(faults, said, put, github):
    github.faults = list(faults)
    with pytest.raises(HarnessError, match=said):
        put("one")
    assert github.comments == []
    assert not any("elsewhere" in path for _, path, _ in github.requests)


def test_a_server_that_is_not_there_is_an_error(monkeypatch):
    monkeypatch.setattr(module, "_WAIT", 0.0)
    with serving(FakeGitHub()) as api:
        gone = api
    with pytest.raises(HarnessError, match="cannot be reached"):
        PullRequestComments(gone, "o/r", 7, "t").put("x", "k", OURS)


def test_a_long_report_is_cut_at_a_line_and_says_so():
    body = comment_body("a line\n" * 20_000, "k")
    assert len(body) <= MOST
    assert body.endswith("in the summary of the job and in its artifact.*\n")
    assert "a line\n\n*Cut" in body


def test_a_key_cannot_close_its_mark():
    assert comment_body("x", "a --> <b>\nc").splitlines()[0] == "<!-- harness-action: a ___ _b__c -->"


def test_only_a_pull_request_has_a_number(tmp_path):
    event = tmp_path / "event.json"
    for content, number in (({"pull_request": {"number": 7}}, 7), ({"ref": "x"}, None), ([], None)):
        event.write_text(json.dumps(content))
        assert pull_request(event) == number
    assert pull_request(None) is None
    event.write_text("{")
    with pytest.raises(HarnessError, match="cannot be read"):
        pull_request(event)


def test_a_repository_is_a_name_and_no_path():
    with pytest.raises(HarnessError, match="not a repository"):
        PullRequestComments("https://api.github.com", "../../user", 7, "t")
