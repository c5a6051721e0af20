"""Libraries that an extra installs: they are imported, or found missing, here and nowhere else."""

from __future__ import annotations

import importlib
import importlib.util
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.system.environment import DISTRIBUTION

if TYPE_CHECKING:
    from types import ModuleType


def import_extra(
    module: str, extra: str, use: str, *, otherwise: str = "", distribution: str = DISTRIBUTION
) -> ModuleType:
    """Return a module of a library that an extra installs.

    use: what needs it, such as `backend onnx`. otherwise: what can be done instead of installing it.
    distribution: whose extra it is. Raises HarnessError, with the command that installs it, where the
    library is missing or cannot be imported.
    """
    library = module.partition(".")[0]
    try:
        importlib.import_module(library)
        return importlib.import_module(module)
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name == library:
            raise _missing(library, extra, use, otherwise, distribution) from error
        command = _command(extra, distribution)
        raise HarnessError(
            f"{use} needs {library}, which cannot be imported: {error}",
            hint=f"install it again: {command.replace('install', 'install --force-reinstall', 1)}",
        ) from error


def require_extra(
    module: str, extra: str, use: str, *, otherwise: str = "", distribution: str = DISTRIBUTION
) -> None:
    """Raise the HarnessError of `import_extra` where a library is missing; nothing is imported.

    module: of the library's top level. The other parameters are those of `import_extra`.
    """
    if not is_installed(module):
        raise _missing(module, extra, use, otherwise, distribution)


def is_installed(module: str) -> bool:
    """Whether a module of the top level is there; it is not imported."""
    try:
        return importlib.util.find_spec(module) is not None
    except ValueError:  # it is imported, and was made without a spec
        return True


def _missing(library: str, extra: str, use: str, otherwise: str, distribution: str) -> HarnessError:
    instead = f", or {otherwise}" if otherwise else ""
    return HarnessError(
        f"{use} needs {library}, which is not installed", hint=f"{_command(extra, distribution)}{instead}"
    )


def _command(extra: str, distribution: str) -> str:
    return f"pip install '{distribution}[{extra}]'"
