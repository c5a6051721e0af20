"""A model as a user asks for it: where it is, its name, and settings of its own.

    minilm    base=./model    small=minilm,truncate_dim=128,dtype=bfloat16

The same in `harness.toml`, where `--model small` names it:

    [models.small]
    model = "minilm"
    truncate-dim = 128
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from harness.errors import Faults, HarnessError, did_you_mean
from harness.models.backends import BACKENDS
from harness.models.devices import check_device_name
from harness.models.interface import DTYPES, SIMILARITIES, Role, Settings
from harness.models.locate import is_empty
from harness.models.storage import PRECISIONS
from harness.system.json_schema import choices, extra
from harness.system.paths import user_path

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_NAMED = re.compile(r"(?P<name>[^=/\\,]+)=(?P<rest>.+)", re.DOTALL)
_OWN = re.compile(r"(?P<model>[^,]*?)(?P<own>(,\s*[A-Za-z_-]+=[^,]*)+)", re.DOTALL)
_PAIR = re.compile(r"\s*[A-Za-z_-]+=.*", re.DOTALL)
_TRUTH = {"true": True, "false": False}

KNOWN = {
    "dtype": DTYPES,
    "backend": ("auto", *BACKENDS),
    "precision": PRECISIONS,
    "similarity": SIMILARITIES,
}
"""Setting → the values that it takes, for settings that take only a few."""
_ROLES = extra(propertyNames={"enum": [str(role) for role in Role]})
_FROM_ONE = extra(minimum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelTable:
    """A model with settings of its own; one that is None is as for all models of the command."""

    model: str
    """As `--model` takes it: a folder, a hub id or a scheme."""
    device: str | None = None
    dtype: Annotated[str, choices(KNOWN["dtype"])] | None = None
    backend: Annotated[str, choices(KNOWN["backend"])] | None = None
    allow_deviation: bool | None = None
    truncate_dim: Annotated[int, _FROM_ONE] | None = None
    normalize: bool | None = None
    precision: Annotated[str, choices(KNOWN["precision"])] | None = None
    similarity: Annotated[str, choices(KNOWN["similarity"])] | None = None
    max_seq_length: Annotated[int, _FROM_ONE] | None = None
    prompts: Annotated[dict[str, str], _ROLES] | None = None
    """By role."""
    allow_pickle: bool | None = None
    trust_remote_code: bool | None = None
    revision: str | None = None
    threads: str | int | None = None
    """Not a setting: it changes no embedding."""


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """One model of a command."""

    name: str
    """Display name; empty for an automatic one."""
    table: ModelTable

    @property
    def model(self) -> str:
        """Where it is: what `parse_model` takes, with its name."""
        return f"{self.name}={self.table.model}" if self.name else self.table.model

    def own_settings(self) -> dict[str, Any]:
        """Return the settings that this model has for itself, by name, as `Settings` has them."""
        own = {name: value for name, value in asdict(self.table).items() if value is not None}
        if self.table.prompts is not None:
            own["prompts"] = tuple(sorted(self.table.prompts.items()))
        return {name: value for name, value in own.items() if name not in ("model", "threads")}

    def settings(self, of_all: Sequence[Settings]) -> list[Settings]:
        """Return the settings of all models with this one's own in their place, each once.

        Raises HarnessError for values that no model has.
        """
        own = self.own_settings()
        settings = list(dict.fromkeys(replace(each, **own) for each in of_all))
        faults = Faults()
        for each in settings:
            with faults.collect():
                check_settings(each)
        faults.refuse(f"model {self.name or self.table.model}" if own else "")
        return settings


def read_request(text: str, tables: Mapping[str, ModelTable]) -> ModelRequest:
    """Return what `[NAME=]MODEL[,SETTING=VALUE]…` asks for.

    tables: models of the configuration; their names win over schemes and folders (`./small` is the folder).
    A folder whose name looks like settings is a folder. Raises HarnessError for no model at all, for an
    unknown setting, for one without a value, and for a value of the wrong type.
    """
    named = _NAMED.fullmatch(text)
    name, rest = (named["name"], named["rest"]) if named else ("", text)
    own: dict[str, Any] = {}
    if is_empty(text) or not rest.partition(",")[0].strip():
        raise HarnessError(
            f"empty --model{f' ({text})' if text.strip() else ''}",
            hint="give a name, a folder or a hub id; is a variable of the shell unset?",
        )
    found = _OWN.fullmatch(rest)
    if not user_path(rest).is_dir():
        if found:
            rest, own = found["model"], _own(found["own"], text)
        else:
            _refuse_loose_words(rest, text)
    if rest in tables:
        return ModelRequest(name or rest, replace(tables[rest], **own))
    return ModelRequest(name, ModelTable(model=rest, **own))


def check_settings(settings: Settings) -> None:
    """Raise HarnessError that names every value which no model has: an unknown device, dtype, role, …"""
    faults = Faults()
    with faults.collect():
        check_device_name(settings.device)
    for what, known in KNOWN.items():
        name = getattr(settings, what)
        if name is not None and name not in known:
            faults.add(HarnessError.unknown(what, name, known))
    for role, _ in settings.prompts:
        if role not in list(Role):
            faults.add(HarnessError.unknown("role", role, list(Role)))
    for what in ("truncate_dim", "max_seq_length"):
        value = getattr(settings, what)
        if value is not None and value < 1:
            faults.add(HarnessError(f"{what} must be a whole number from 1, not {value}"))
    faults.refuse()


def settings_of_models() -> list[str]:
    """Return the names of settings that `--model MODEL,SETTING=VALUE` takes."""
    return [field.name for field in fields(ModelTable) if field.name not in ("model", "prompts")]


def _refuse_loose_words(rest: str, text: str) -> None:
    """Raise HarnessError for what stands behind a comma and is no `SETTING=VALUE`.

    A path, which may hold a comma, is left alone, but where a setting's own name stands there.
    """
    model, *words = rest.split(",")
    known = settings_of_models()
    is_path = model.startswith((".", "/", "~"))
    for word in words:
        name = word.strip().replace("-", "_")
        if not _PAIR.fullmatch(word) and (name in known or not is_path):
            example = f"{name}=…" if name in known else "truncate_dim=128"
            raise HarnessError(
                f"--model {text}: {word.strip()!r} is not a setting of a model: one is NAME=VALUE",
                exists="\n".join([*did_you_mean(name, known), f"known: {', '.join(known)}"]),
                hint=f"{model},{example}, or a folder that exists",
            )


def _own(pairs: str, text: str) -> dict[str, Any]:
    """Read `,SETTING=VALUE,SETTING=VALUE`."""
    kinds = get_type_hints(ModelTable)
    known = settings_of_models()
    faults, own = Faults(), {}
    for pair in pairs[1:].split(","):
        key, _, value = (part.strip() for part in pair.partition("="))
        name = key.replace("-", "_")
        if name in ("prompt", "prompts"):
            faults.add(
                HarnessError(
                    f"--model {text}: a prompt may hold commas",
                    hint="give it in harness.toml: [models.NAME] with model and prompts = {query = …},"
                    " or for all models: --prompt ROLE=TEXT",
                )
            )
        elif name not in known:
            faults.add(HarnessError.unknown(f"setting of a model (in --model {text})", key, known))
        elif name in own:
            faults.add(HarnessError(f"--model {text}: {name} is given twice"))
        else:
            with faults.collect():
                own[name] = _value(kinds[name], name, value, text)
    faults.refuse()
    return own


def _value(kind: Any, name: str, value: str, text: str) -> str | int | bool:  # noqa: ANN401 - a type
    """Return a value that was written as text, as the setting has it."""
    if kind == bool | None:
        if value.lower() not in _TRUTH:
            raise HarnessError(f"--model {text}: {name} must be true or false, not {value!r}")
        return _TRUTH[value.lower()]
    if kind == int | None:
        if not (value.isascii() and value.isdigit() and len(value) < 10):
            raise HarnessError(f"--model {text}: {name} must be a whole number from 1, not {value!r}")
        return int(value)
    if not value:
        raise HarnessError(f"--model {text}: {name} has no value")
    return value
