"""Options that several commands share, and what they stand for."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import HarnessError
from harness.models.backends import BACKENDS
from harness.models.interface import Role, Settings
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from harness.cli.config import Config
    from harness.plugins.loader import Plugins
    from harness.tasks.interface import Task

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def plugin_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that bring more plugins and tasks."""
    options = [
        click.option(
            "--plugin", "plugin_files", multiple=True, metavar="FILE.py", help="Load a single-file plugin."
        ),
        click.option(
            "--task-file",
            "task_files",
            multiple=True,
            metavar="TASKS.toml",
            help="Define tasks over your own data.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def model_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how models are used."""
    options = [
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps."),
        click.option(
            "--dtype",
            type=click.Choice(["float32", "bfloat16", "float16", "int8"]),
            default="float32",
            show_default=True,
            help="Precision to compute in; how far a lower one moves embeddings is measured.",
        ),
        click.option("--allow-deviation", is_flag=True, help="Accept a precision that moves them too far."),
        click.option(
            "--backend",
            type=click.Choice(["auto", *BACKENDS]),
            default="auto",
            show_default=True,
            help="How texts go through the model; auto: the fastest that is proved equal.",
        ),
        click.option(
            "--threads",
            default="auto",
            show_default=True,
            metavar="N|WxT",
            help="At most N threads, or W workers of T threads; auto measures what is best.",
        ),
        click.option(
            "--truncate-dim", type=click.IntRange(min=1), help="Keep the first dimensions (Matryoshka)."
        ),
        click.option("--max-seq-length", type=click.IntRange(min=1), help="Cut texts after so many tokens."),
        click.option(
            "--prompt",
            "prompts",
            multiple=True,
            metavar="ROLE=TEXT",
            help="Prompt of role text, query or document.",
        ),
        click.option("--allow-pickle", is_flag=True, help="Accept weights that are not safetensors."),
        click.option("--trust-remote-code", is_flag=True, help="Run code that a model's folder brings."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def out_folder(given: str) -> Path:
    """Where results go: a folder that can be written, or be made; nothing is left there yet."""
    folder = Path(given)
    nearest = next(path for path in (folder, *folder.absolute().parents) if os.path.lexists(path))
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise HarnessError(
            f"cannot write results to {given}: {error.strerror}", hint="pick another folder: --out DIR"
        ) from error
    return folder


def cache_limit(given: str | None, config: Config) -> int | None:
    """Bytes that the embedding cache may take: given, HARNESS_CACHE_SIZE, configured; None for its default.

    Raises HarnessError for what is no size.
    """
    from harness.system.limits import read_size

    told = {
        "--cache-size": given,
        "HARNESS_CACHE_SIZE": os.environ.get("HARNESS_CACHE_SIZE"),
        "cache-size": config.cache_size,
    }
    return next((read_size(text, where) for where, text in told.items() if text), None)


def words(given: Sequence[str]) -> list[str]:
    """Split words that are separated by commas, over repeated options."""
    return [word.strip() for text in given for word in text.split(",") if word.strip()]


def plugins_from(files: Sequence[str], config: Config) -> Plugins:
    """Load plugins: the installed ones, the configured files, and those on the command line."""
    from harness.plugins.loader import load_plugins

    return load_plugins([user_path(file) for file in (*config.plugins, *files)])


def tasks_from(plugins: Plugins, files: Sequence[str], config: Config) -> dict[str, Task]:
    """Return all tasks by name: those of plugins, of configured task files, of those on the command line.

    Raises HarnessError where a name is taken, or is a tag of other tasks.
    """
    from harness.plugins.loader import all_tasks

    return all_tasks(plugins, [user_path(file) for file in (*config.task_files, *files)])


def settings_from(options: Mapping[str, Any]) -> Settings:
    """Read the model options; raises HarnessError for a prompt of an unknown role."""
    prompts: dict[str, str] = {}
    for text in options["prompts"]:
        role, equals, prompt = text.partition("=")
        if not equals or role not in list(Role):
            raise HarnessError(f"--prompt {text!r} is not ROLE=TEXT", exists=f"roles: {', '.join(Role)}")
        prompts[role] = prompt
    return Settings(
        device=options["device"],
        dtype=options["dtype"],
        backend=options["backend"],
        allow_deviation=options["allow_deviation"],
        truncate_dim=options["truncate_dim"],
        max_seq_length=options["max_seq_length"],
        prompts=tuple(sorted(prompts.items())),
        allow_pickle=options["allow_pickle"],
        trust_remote_code=options["trust_remote_code"],
    )
