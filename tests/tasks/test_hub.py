"""Datasets of the hub are read from its cache, by commit, and nothing of them is executed."""

from __future__ import annotations

import pytest
from hub_cache import REVISION, card, parquet, use, write_arrow_cache, write_snapshot

from harness import DataSource, HarnessError
from harness.authoring import HubDataset
from harness.tasks import hub
from harness.tasks.readers import read_rows

NAME = "org/Some-Pairs"
ROWS = parquet(left=["a", "b"], right=["c", "d"], score=[1.0, 2.0])
OTHER = parquet(left=["e"], right=["f"], score=[3.0])
CARD = card(default={"test": "data/test-*", "validation": "data/dev.parquet"})


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setattr(hub, "_known", {})
    return use(tmp_path / "hf", monkeypatch)


def rows(dataset, split="test"):
    (file,) = dataset.files(split)
    return read_rows(file, ["left", "right", "score"])


def test_a_split_is_read_from_the_cache_as_the_card_names_it(home):
    write_snapshot(
        home,
        NAME,
        {"README.md": CARD, "data/test-00000-of-00001.parquet": ROWS, "data/dev.parquet": OTHER},
    )
    dataset = HubDataset(NAME, REVISION)
    assert rows(dataset) == {"left": ["a", "b"], "right": ["c", "d"], "score": [1.0, 2.0]}
    assert rows(dataset, "validation")["left"] == ["e"]
    assert dataset.name == f"{NAME}@{REVISION}"


@pytest.mark.parametrize(
    "path", ["test.parquet", "data/test-00000-of-00001.parquet", "test/0000.parquet", "data/test.parquet"]
)
def test_a_split_is_found_without_a_card(home, path):
    write_snapshot(home, NAME, {path: ROWS})
    assert rows(HubDataset(NAME, REVISION))["left"] == ["a", "b"]


def test_compressed_lines_and_tables_are_read(home):
    import gzip

    lines = b'{"left": "a", "right": "c", "score": 1}\n'
    write_snapshot(home, NAME, {"test.jsonl.gz": gzip.compress(lines)})
    assert rows(HubDataset(NAME, REVISION))["score"] == [1]


def test_a_configuration_is_chosen_by_name(home):
    files = {"README.md": card(en={"test": "en/*"}, de={"test": "de/*"}), "en/a.parquet": ROWS}
    write_snapshot(home, NAME, {**files, "de/a.parquet": OTHER})
    assert rows(HubDataset(NAME, REVISION, "de"))["left"] == ["e"]
    with pytest.raises(HarnessError, match=r"available configs: \['en', 'de'\]"):
        HubDataset(NAME, REVISION).files("test")
    with pytest.raises(HarnessError, match=r"cannot be read: .*'fr'"):
        HubDataset(NAME, REVISION, "fr").files("test")


def test_two_revisions_in_the_cache_are_two_datasets(home):
    write_snapshot(home, NAME, {"test.parquet": ROWS}, "a" * 40)
    write_snapshot(home, NAME, {"test.parquet": OTHER}, "b" * 40)
    assert rows(HubDataset(NAME, "a" * 40))["left"] == ["a", "b"]
    assert rows(HubDataset(NAME, "b" * 40))["left"] == ["e"]
    with pytest.raises(HarnessError, match="is not in the hub's cache at revision cccc"):
        HubDataset(NAME, "c" * 40).files("test")


def test_a_branch_is_read_offline_and_its_commit_is_named_in_a_finding(home):
    write_snapshot(home, NAME, {"test.parquet": ROWS})
    dataset = HubDataset(NAME, only=True)
    assert dataset.name == f"{NAME}@main"
    dataset.files("test")
    assert dataset.name == f"{NAME}@{REVISION}"
    (finding,) = dataset.findings()
    assert finding.code == "hub-revision-unpinned"
    assert finding.remedy == f"revision = '{REVISION}' pins it"


def test_a_revision_that_nobody_has_read_is_a_finding():
    assert [finding.code for finding in HubDataset(NAME, REVISION).findings()] == ["hub-revision-unverified"]
    assert HubDataset(NAME, REVISION, verified=True).findings() == ()
    assert HubDataset(NAME, REVISION, only=True).findings() == ()


def test_all_shards_are_read_and_a_missing_one_is_an_error(home):
    files = {
        f"data/test-0000{shard}-of-00002.parquet": content for shard, content in enumerate((ROWS, OTHER))
    }
    write_snapshot(home, NAME, files)
    assert read_rows(HubDataset(NAME, REVISION).files("test"), ["left"])["left"] == ["a", "b", "e"]
    write_snapshot(home, "org/cut", dict([next(iter(files.items()))]))
    with pytest.raises(HarnessError, match="of 2 files test-…-of-00002 there are 1"):
        HubDataset("org/cut", REVISION).files("test")


def test_an_unknown_split_names_those_that_there_are(home):
    write_snapshot(home, NAME, {"README.md": CARD, "data/test-1.parquet": ROWS, "data/dev.parquet": OTHER})
    with pytest.raises(HarnessError, match=r"no split .* named 'dev'") as error:
        HubDataset(NAME, REVISION).files("dev")
    assert "known: test, validation" in str(error.value)


def test_what_is_not_cached_says_where_the_cache_is_and_how_to_fetch_it(home):
    with pytest.raises(HarnessError) as error:
        HubDataset(NAME, REVISION).folder()
    assert f"{NAME} is not in the hub's cache at revision {REVISION}" in error.value.message
    assert f"cache: {home / 'hub'} (HF_HOME" in str(error.value)
    assert f"hf download --repo-type dataset {NAME} --revision {REVISION}" in str(error.value)


# --- online ----------------------------------------------------------------------------------------------


@pytest.fixture
def online(home, monkeypatch):
    """Pretend that there is a network: note what the hub is asked for, and answer from the cache."""
    import huggingface_hub

    asked = []
    download = huggingface_hub.snapshot_download

    def info(_, name, revision, **options):
        asked.append(("info", name, revision, options["timeout"]))
        return type("Info", (), {"sha": REVISION})

    def fetch(name, *, revision, local_files_only=False, **options):
        if not local_files_only:
            asked.append(("download", name, revision, "*.parquet" in options["allow_patterns"]))
        return download(name, repo_type="dataset", revision=revision, local_files_only=True)

    monkeypatch.setattr(hub, "_is_offline", lambda: False)
    monkeypatch.setattr(hub, "_complete", set())
    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", info)
    monkeypatch.setattr(huggingface_hub, "snapshot_download", fetch)
    return asked


def test_online_a_branch_is_asked_for_once_and_read_at_its_commit(home, online):
    write_snapshot(home, NAME, {"test.parquet": ROWS})
    dataset = HubDataset(NAME)
    assert dataset.files("test") == dataset.files("test")
    assert online == [("info", NAME, "main", 10.0), ("download", NAME, REVISION, True)]
    assert dataset.name == f"{NAME}@{REVISION}"


def test_online_a_split_of_a_pinned_revision_that_is_cached_needs_no_network(home, online):
    write_snapshot(home, NAME, {"test.parquet": ROWS})
    HubDataset(NAME, REVISION).files("test")
    assert online == []


def test_online_what_the_cache_lacks_of_a_revision_is_fetched(home, online):
    write_snapshot(home, NAME, {"validation.parquet": ROWS})
    with pytest.raises(HarnessError, match="no split of the dataset"):
        HubDataset(NAME, REVISION).files("test")
    assert [what for what, *_ in online] == ["info", "download"]


def test_a_network_that_does_not_answer_is_asked_once(home, online, monkeypatch):
    import huggingface_hub

    asked = []

    def refuse(_, name, **__):
        asked.append(name)
        raise ConnectionError("Connection refused")

    monkeypatch.setattr(huggingface_hub.HfApi, "dataset_info", refuse)
    with pytest.raises(HarnessError, match="is not fetched: Connection refused"):
        HubDataset(NAME, REVISION).files("test")
    assert asked == [NAME]
    write_snapshot(home, NAME, {"test.parquet": ROWS})
    for _ in range(2):
        assert HubDataset(NAME).folder().name == REVISION
    assert asked == [NAME, NAME]


# --- the cache of `datasets` -----------------------------------------------------------------------------


def test_rows_that_datasets_has_cached_are_read_for_the_very_commit_alone(home):
    columns = {"left": ["g"], "right": ["h"], "score": [4.0]}
    write_arrow_cache(home, "org/pairs", "default", {"test": columns, "test2": {"left": ["no"]}})
    assert rows(HubDataset("org/pairs", REVISION)) == columns
    with pytest.raises(HarnessError, match="not in the hub's cache"):
        HubDataset("org/pairs", "f" * 40).files("test")
    with pytest.raises(HarnessError, match="not in the hub's cache"):
        HubDataset("org/pairs").files("test")


# --- strangers' data -------------------------------------------------------------------------------------


def test_a_dataset_with_a_script_is_refused_and_the_script_does_not_run(home, tmp_path):
    script = f"open({str(tmp_path / 'ran')!r}, 'w')".encode()
    write_snapshot(home, NAME, {"Some-Pairs.py": script, "test.parquet": ROWS})
    with pytest.raises(HarnessError, match=r"script of its own \(Some-Pairs.py\)"):
        HubDataset(NAME, REVISION).files("test")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("file", ["test.pkl", "test.pt", "data/test-00000-of-00001.pickle"])
def test_pickles_are_never_opened(home, tmp_path, file):
    class Trap:
        def __reduce__(self):
            return open, (str(tmp_path / "ran"), "w")

    import pickle

    write_snapshot(home, NAME, {file: pickle.dumps(Trap())})
    with pytest.raises(HarnessError):
        HubDataset(NAME, REVISION).files("test")
    named = card(default={"test": file})
    write_snapshot(home, "org/named", {"README.md": named, file: pickle.dumps(Trap()), "x.csv": b"a\n1\n"})
    with pytest.raises(HarnessError):
        HubDataset("org/named", REVISION).files("test")
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "path",
    ["https://example.org/x.csv", "hf://datasets/org/x/y.csv", "../../../x.csv", "/etc/passwd", "~/x.csv"],
)
def test_a_card_that_leads_out_of_the_dataset_is_refused(home, path):
    write_snapshot(home, NAME, {"README.md": card(default={"test": path}), "test.csv": b"left\na\n"})
    with pytest.raises(HarnessError, match="names files outside of it"):
        HubDataset(NAME, REVISION).files("test")


@pytest.mark.parametrize(
    "matter",
    [
        b"configs: 3",
        b"configs: [1, {a: b}]",
        b"configs: [",
        b"dataset_info: [[]]",
        b"configs: !!python/name:os.system",
    ],
)
def test_a_card_of_any_shape_is_no_traceback(home, matter):
    write_snapshot(home, NAME, {"README.md": b"---\n" + matter + b"\n---\n", "test.parquet": ROWS})
    try:
        HubDataset(NAME, REVISION).files("test")
    except HarnessError as error:
        assert NAME in error.message


@pytest.mark.parametrize("name", ["pairs", "a/b/c", "", "org/ pairs", "../x/y"])
def test_an_id_is_an_organization_and_a_name(name):
    with pytest.raises(HarnessError, match="is not the id of a dataset"):
        HubDataset(name)


@pytest.mark.parametrize(
    ("revision", "config"), [("../x", None), ("", None), ("/main", None), ("main", "../x"), ("main", "..")]
)
def test_a_revision_and_a_configuration_lead_nowhere_else(revision, config):
    with pytest.raises(HarnessError, match=r"is not a (revision|configuration) of a dataset"):
        HubDataset(NAME, revision, config)


def test_a_task_without_a_home_says_so():
    with pytest.raises(HarnessError, match="no home on the hub"):
        DataSource("hub", None).path("x")
