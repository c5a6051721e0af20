"""Writes datasets into the hub's cache as huggingface_hub does, and into that of `datasets`."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

REVISION = "0123456789" * 4


def parquet(**columns) -> bytes:
    """Return the bytes of a parquet file."""
    import pyarrow as pa
    from pyarrow import parquet as files

    content = io.BytesIO()
    files.write_table(pa.table(columns), content)
    return content.getvalue()


def card(**configs: dict[str, str]) -> bytes:
    """Return a README whose front matter says which files the splits of each configuration are."""
    lines = ["---", "configs:"]
    for config, splits in configs.items():
        lines += [f"- config_name: {config}", "  data_files:"]
        for split, path in splits.items():
            lines += [f"  - split: {split}", f"    path: {path}"]
    return "\n".join([*lines, "---", "# A dataset", ""]).encode()


def write_snapshot(home: Path, name: str, files: dict[str, bytes], revision: str = REVISION) -> Path:
    """Write a dataset into `home/hub`, as links into blobs; `main` is its revision. Return its snapshot."""
    root = home / "hub" / f"datasets--{name.replace('/', '--')}"
    snapshot = root / "snapshots" / revision
    for folder in (root / "blobs", root / "refs", snapshot):
        folder.mkdir(parents=True, exist_ok=True)
    (root / "refs" / "main").write_text(revision)
    for path, content in files.items():
        blob = root / "blobs" / hashlib.sha256(content).hexdigest()
        blob.write_bytes(content)
        link = snapshot / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


def write_arrow_cache(home: Path, name: str, config: str, splits: dict, revision: str = REVISION) -> Path:
    """Write a dataset into `home/datasets` with the writer of `datasets`. Return the folder."""
    from datasets import Dataset
    from datasets.arrow_writer import ArrowWriter

    owner, last = name.split("/")
    folder = home / "datasets" / f"{owner}___{last}" / config / "0.0.0" / revision
    folder.mkdir(parents=True)
    (folder / "dataset_info.json").write_text("{}")
    for split, columns in splits.items():
        rows = Dataset.from_dict(columns)
        with ArrowWriter(features=rows.features, path=str(folder / f"{last}-{split}.arrow")) as writer:
            writer.write_table(rows.data.table)
            writer.finalize()
    return folder


def use(home: Path, monkeypatch) -> Path:
    """Let both libraries look for their caches below `home`, in this process too."""
    import datasets
    from huggingface_hub import constants

    monkeypatch.setenv("HF_HOME", str(home))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", home / "datasets")
    return home
