"""What `--executor ray` decides without a Ray: addresses, shares, files."""

from __future__ import annotations

import pytest

from harness import HarnessError
from harness_ray import harness_executors
from harness_ray.address import RayAddress, parse_address, refuse_open, refuse_silent
from harness_ray.files import PlacedFiles, SentFiles
from harness_ray.shares import Node, Shares, share


@pytest.mark.parametrize(
    ("text", "host", "port", "client"),
    [
        ("gpu-box", "gpu-box", 6379, False),
        ("10.0.0.7:7000", "10.0.0.7", 7000, False),
        ("ray://head", "head", 10001, True),
        ("ray://[::1]:9/", "::1", 9, True),
    ],
)
def test_an_address_has_a_host_and_a_port(text, host, port, client):
    assert parse_address(text) == RayAddress(host, port, client)


@pytest.mark.parametrize("text", ["", "http://head:1", "head:port", "a/b"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(HarnessError, match="no address of a Ray"):
        parse_address(text)


def test_auto_is_the_ray_of_the_environment_else_the_one_noted_here(monkeypatch, tmp_path):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path))
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with pytest.raises(HarnessError, match="no Ray is running on this machine"):
        parse_address("auto")
    (tmp_path / "ray").mkdir()
    (tmp_path / "ray" / "ray_current_cluster").write_text("127.0.0.1:6380\n")
    assert str(parse_address("auto")) == "127.0.0.1:6380"
    monkeypatch.setenv("RAY_ADDRESS", "ray://head:1")
    assert str(parse_address("auto")) == "ray://head:1"


def test_an_address_that_others_can_reach_needs_a_token(monkeypatch, tmp_path):
    for name in ("RAY_AUTH_MODE", "RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    for host in ("localhost", "127.0.0.1", "::1"):
        refuse_open(RayAddress(host, 6379))
    head = RayAddress("10.0.0.7", 6379)
    with pytest.raises(HarnessError, match="RAY_AUTH_MODE is not `token`"):
        refuse_open(head)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")
    with pytest.raises(HarnessError, match="needs a token, and there is none"):
        refuse_open(head)
    monkeypatch.setenv("RAY_AUTH_TOKEN", "x")
    refuse_open(head)


def test_an_address_at_which_nobody_answers_is_refused():
    with pytest.raises(HarnessError, match=r"no Ray answers at 127\.0\.0\.1:1"):
        refuse_silent(RayAddress("127.0.0.1", 1))


@pytest.mark.parametrize(
    ("nodes", "workers", "expected"),
    [
        ([Node(2)], None, Shares(2, 1)),
        ([Node(16), Node(16), Node(0)], None, Shares(4, 8)),
        ([Node(1)] * 4, None, Shares(4, 1)),
        ([Node(8)], 2, Shares(2, 4)),
        ([Node(8), Node(4)], 3, Shares(3, 4)),
        ([Node(32, 4), Node(64)], None, Shares(4, 8, 1.0)),
        ([Node(12, 1)], 3, Shares(3, 4, 0.3333)),
    ],
)
def test_all_workers_have_equal_shares(nodes, workers, expected):
    assert share(nodes, workers, may_grow=False) == expected


def test_more_workers_than_processors_are_refused_unless_machines_may_come():
    with pytest.raises(HarnessError, match=r"3 workers are more than this machine has processors \(2\)"):
        share([Node(2)], 3, may_grow=False)
    assert share([Node(2)], 3, may_grow=True) == Shares(3, 1)


def send(driver, path, cache, worker):
    sent, placed = SentFiles(str(driver), bytes), PlacedFiles(str(worker), cache)
    listings = sent.listings([path])
    if missing := placed.missing(listings):
        assert missing == [path]
        content = sent.content(path)
        if not placed.has(content, listings[path]):
            placed.take(content, listings[path], sent.references(content))
    return placed.places(listings)


def test_a_folder_is_sent_only_where_it_is_not(tmp_path):
    driver, worker, cache = tmp_path / "driver", tmp_path / "worker", tmp_path / "cache"
    (driver / "m" / "1").mkdir(parents=True)
    (driver / "m" / "1" / "weights").write_bytes(b"abc")
    worker.mkdir()
    assert send(driver, "m", cache, driver) == {}  # the same files
    [place] = send(driver, "m", cache, worker).values()
    assert place.startswith(str(cache))
    assert place.endswith("/m")
    assert {file.name: file.read_bytes() for file in (cache.rglob("weights"))} == {"weights": b"abc"}
    (worker / "m" / "1").mkdir(parents=True)
    (worker / "m" / "1" / "weights").write_bytes(b"abc")
    assert send(driver, "m", cache, worker) == {}  # a copy with the same bytes
    (worker / "m" / "1" / "weights").write_bytes(b"abd")
    assert send(driver, "m", cache, worker) == {"m": place}


def test_files_that_changed_on_the_way_are_not_kept(tmp_path):
    (tmp_path / "plugin.py").write_bytes(b"1")
    sent, placed = SentFiles(str(tmp_path), bytes), PlacedFiles(str(tmp_path / "x"), tmp_path / "cache")
    listing = sent.listings(["plugin.py", "absent"])["plugin.py"]
    content = sent.content("plugin.py")
    with pytest.raises(ValueError, match="changed while it was sent"):
        placed.take(content, listing, [[b"2"]])
    assert list((tmp_path / "cache" / "job-files").iterdir()) == []
    assert not placed.has(content, listing)


def test_a_single_file_keeps_its_name_where_it_is_sent(tmp_path):
    placed = PlacedFiles(str(tmp_path), tmp_path / "cache")
    place = placed.keep("my_plugin.py", b"x = 1")
    assert place.endswith("/my_plugin.py")
    (tmp_path / "my_plugin.py").write_bytes(b"x = 1")
    assert placed.keep("my_plugin.py", b"x = 1") == "my_plugin.py"


def test_the_executor_says_which_extra_is_missing(monkeypatch):
    monkeypatch.setattr("harness.system.extras.is_installed", lambda _: False)
    [executor] = harness_executors()
    with pytest.raises(HarnessError, match="executor ray needs ray, which is not installed") as error:
        executor.check()
    assert error.value.hint == "pip install 'embedding-harness[ray]'"
