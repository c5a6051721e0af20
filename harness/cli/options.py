"""Options that several commands share: how click reads them, and the typed objects that commands get."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import click

from harness.cli.groups import grouped
from harness.cli.usage import Choice
from harness.errors import Faults, HarnessError
from harness.models.backends import BACKENDS
from harness.models.interface import DTYPES, SIMILARITIES, Role, Settings
from harness.models.request import check_settings, read_request
from harness.models.storage import PRECISIONS, stored_name
from harness.system.paths import user_path
from harness.tasks.selection import split_words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from harness.cli.config import Config
    from harness.models.interface import ModelScheme, ModelSpec
    from harness.models.request import ModelTable

    Command = Callable[..., Any]
    Decorator = Callable[[Command], Command]


@dataclass(frozen=True, slots=True, kw_only=True)
class PluginOptions:
    """Plugins and tasks besides those that are installed."""

    plugin_files: tuple[str, ...] = ()
    task_files: tuple[str, ...] = ()


def plugin_options(command: Command) -> Command:
    """Add `--plugin` and `--task-file`; the command gets `plugins: PluginOptions`."""
    options: list[Decorator] = [
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
    return _add(options, grouped(plugins=PluginOptions)(command))


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOptions:
    """How models are used. Only commands that take several dtypes or backends get more than one of these."""

    device: str
    dtype: tuple[str, ...]
    allow_deviation: bool
    backend: tuple[str, ...]
    threads: str
    truncate_dim: tuple[int, ...]
    precision: tuple[str, ...]
    max_seq_length: int | None
    normalize: bool
    similarity: str | None
    prompts: tuple[str, ...]
    """`ROLE=TEXT`."""
    allow_pickle: bool
    trust_remote_code: bool
    revision: str | None

    def settings(self) -> list[Settings]:
        """Return the settings of every dtype with every backend, each stored in every way.

        Raises HarnessError that names every unknown device, dtype, backend and precision, and a prompt of an
        unknown role.
        """
        faults, settings = Faults(), self._combinations()
        for each in settings:
            with faults.collect():
                check_settings(each)
        faults.refuse()
        return settings

    def specs(
        self, model: str, schemes: Mapping[str, ModelScheme], tables: Mapping[str, ModelTable]
    ) -> list[ModelSpec]:
        """Return the specs of a model as `--model` names it: one for each of `settings`, with its own.

        tables: models of the configuration, by name.
        Where its embeddings are stored in several ways, a name that the user gave gets a suffix for each.
        Raises HarnessError for a model that does not exist, and as `settings` does.
        """
        from harness.models.locate import parse_model

        request, settings = read_request(model, tables), self._combinations()
        threads = str(request.table.threads or self.threads)
        # Whether there is such a model is told where its settings are wrong, too.
        parse_model(request.model, schemes, threads=threads)
        specs = [
            parse_model(request.model, schemes, each, threads=threads) for each in request.settings(settings)
        ]
        if len({(spec.settings.truncate_dim, spec.settings.precision) for spec in specs}) < 2:
            return specs
        return [replace(spec, name=spec.name and stored_name(spec.name, spec.settings)) for spec in specs]

    def _combinations(self) -> list[Settings]:
        return [
            Settings(
                device=self.device,
                dtype=dtype,
                backend=backend,
                allow_deviation=self.allow_deviation,
                truncate_dim=dimensions,
                precision=precision,
                max_seq_length=self.max_seq_length,
                normalize=self.normalize,
                similarity=self.similarity,
                prompts=_read_prompts(self.prompts),
                allow_pickle=self.allow_pickle,
                trust_remote_code=self.trust_remote_code,
                revision=self.revision,
            )
            for dtype in self.dtype
            for backend in self.backend
            for dimensions in self.truncate_dim or (None,)
            for precision in self.precision
        ]


def model_options(*, several: Sequence[str] = ()) -> Decorator:
    """Add the options that say how models are used; the command gets `model: ModelOptions`.

    several: `dtype` and `backend`, where the command takes several values of them.
    """
    options: list[Decorator] = [
        click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1 or mps."),
        _choice(
            "dtype",
            DTYPES,
            several="dtype" in several,
            help="Precision to compute in; how far a lower one moves embeddings is measured.",
        ),
        click.option("--allow-deviation", is_flag=True, help="Accept a dtype that moves embeddings too far."),
        _choice(
            "backend",
            ("auto", *BACKENDS),
            several="backend" in several,
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
            "--truncate-dim",
            multiple=True,
            metavar="N,N",
            callback=lambda _context, _option, values: _read_dimensions(values),
            help="Keep the first dimensions (Matryoshka); several from one encoding.",
        ),
        click.option(
            "--precision",
            multiple=True,
            metavar="NAMES",
            callback=lambda _context, _option, values: (
                tuple(dict.fromkeys(split_words(values))) or ("float32",)
            ),
            help=f"How embeddings are stored, of {', '.join(PRECISIONS)}; several from one encoding.",
        ),
        click.option(
            "--max-seq-length", type=click.IntRange(min=1), help="Maximum tokens of a text; the rest is cut."
        ),
        click.option(
            "--normalize",
            is_flag=True,
            help="Scale embeddings to length 1, after --truncate-dim, as encode(normalize_embeddings=True).",
        ),
        click.option(
            "--similarity",
            type=Choice(SIMILARITIES),
            help="How embeddings are compared; the model's own by default.",
        ),
        click.option(
            "--prompt",
            "prompts",
            multiple=True,
            metavar="ROLE=TEXT",
            help="Prompt of role text, query or document.",
        ),
        click.option("--allow-pickle", is_flag=True, help="Accept weights that are not safetensors."),
        click.option("--trust-remote-code", is_flag=True, help="Run code that a model's folder brings."),
        click.option(
            "--revision",
            metavar="NAME",
            help="Version of a model of the hub, or that you declare a server's model to be.",
        ),
    ]
    return lambda command: _add(options, grouped(model=ModelOptions)(command))


def _choice(name: str, known: Sequence[str], *, several: bool, help: str) -> Decorator:  # noqa: A002 - click's word
    """Make an option of known values, of which the first is the default; its value is a tuple of names."""
    if not several:
        return click.option(
            f"--{name}",
            type=Choice(known),
            default=known[0],
            show_default=True,
            callback=lambda _context, _option, value: (value,),
            help=help,
        )
    return click.option(
        f"--{name}",
        multiple=True,
        metavar="NAMES",
        callback=lambda _context, _option, values: tuple(dict.fromkeys(split_words(values))) or (known[0],),
        help=f"Of {', '.join(known)}; several.",
    )


def _read_dimensions(values: Sequence[str]) -> tuple[int, ...]:
    """Read `384,256`, each once; raises click.BadParameter for anything but whole numbers from 1."""
    numbers = list(dict.fromkeys(split_words(values)))
    for number in numbers:
        if not (number.isascii() and number.isdigit() and len(number) < 10 and int(number)):
            raise click.BadParameter(f"{number!r} is not a number of dimensions, such as 256,128")
    return tuple(dict.fromkeys(int(number) for number in numbers))


def _read_prompts(texts: Sequence[str]) -> tuple[tuple[str, str], ...]:
    prompts: dict[str, str] = {}
    for text in texts:
        role, equals, prompt = text.partition("=")
        if not equals:
            raise HarnessError(f"--prompt {text!r} is not ROLE=TEXT", exists=f"roles: {', '.join(Role)}")
        if role not in list(Role):
            raise HarnessError.unknown("role", role, Role, hint="--prompt ROLE=TEXT")
        prompts[role] = prompt
    return tuple(sorted(prompts.items()))


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheOptions:
    """The cache of embeddings that a run uses."""

    cache: str | None
    cache_size: str | None
    no_cache: bool

    def folder(self, config: Config) -> Path | None:
        """Return the cache's folder; None without a cache.

        Raises HarnessError for `--cache` with `--no-cache`.
        """
        from harness.encoding.cache_folder import default_folder

        if self.cache and self.no_cache:
            raise HarnessError("--cache and --no-cache contradict each other", hint="leave one out")
        if self.no_cache:
            return None
        return user_path(self.cache) if self.cache else default_folder(config.cache)


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputOptions:
    """Where results go, and how they are printed."""

    out: str | None
    as_json: bool


def _add(options: Sequence[Decorator], command: Command) -> Command:
    """Add options to a command, in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def out_folder(path: str) -> Path:
    """Return the folder of results, which can be written or made; nothing is created.

    Raises HarnessError where it cannot be written.
    """
    folder = user_path(path)
    nearest = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    try:
        tempfile.TemporaryFile(dir=nearest).close()
    except OSError as error:
        raise HarnessError(
            f"cannot write results to {path}: {error.strerror}", hint="pick another folder: --out DIR"
        ) from error
    return folder


def cache_limit(option: str | None, config: Config) -> int | None:
    """Return the maximum bytes of the embedding cache; None for its default.

    Precedence: `--cache-size`, HARNESS_CACHE_SIZE, the configuration.
    Raises HarnessError for an invalid size.
    """
    from harness.system.limits import read_size

    sizes = {
        "--cache-size": option,
        "HARNESS_CACHE_SIZE": os.environ.get("HARNESS_CACHE_SIZE"),
        "cache-size": config.cache_size,
    }
    return next((read_size(size, name) for name, size in sizes.items() if size), None)


def read_columns(values: Sequence[str]) -> dict[str, str]:
    """Read `--column OURS=THEIRS`: our name of a column → the file's."""
    columns = {}
    for value in values:
        ours, equals, theirs = value.partition("=")
        if not (ours and equals and theirs):
            raise HarnessError(f"--column {value!r} is not OURS=THEIRS")
        columns[ours] = theirs
    return columns
