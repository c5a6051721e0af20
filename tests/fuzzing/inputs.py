"""What a target is given: a few files, drawn from two numbers or kept in a file of their own."""

from __future__ import annotations

import base64
import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fuzzing.mutators import mutated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fuzzing.mutators import Files
    from fuzzing.targets import Target

MUTATIONS = (1, 1, 1, 1, 2, 2, 3, 5)
"""How many are made one after the other: mostly one, so that the rest of the input stays sound."""


@dataclass(frozen=True, slots=True)
class Input:
    """Files for a target."""

    target: str
    files: Files

    def write(self, folder: Path) -> None:
        """Lay the files out below a folder that is empty."""
        for name, content in self.files.items():
            path = folder / name
            (path if content is None else path.parent).mkdir(parents=True, exist_ok=True)
            if content is not None:
                path.write_bytes(content)

    def to_json(self) -> str:
        """Write it so that a person can read what is text; `from_json` reads it back byte for byte."""
        files = {name: _shown(content) for name, content in self.files.items()}
        return json.dumps({"target": self.target, "files": files}, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Input:
        """Read what `to_json` wrote."""
        told = json.loads(text)
        return cls(told["target"], {name: _bytes(content) for name, content in told["files"].items()})


def drawn(seed: int, number: int, targets: Sequence[Target]) -> Input:
    """Draw input `number` of a seed: the same bytes every time, whatever was drawn before."""
    chance = random.Random(f"{seed}/{number}")
    target = chance.choices(targets, weights=[one.share for one in targets])[0]
    seeds = target.seeds()
    files = chance.choice(seeds)
    for _ in range(chance.choice(MUTATIONS)):
        files = mutated(files, chance.choice(seeds), chance)
    return Input(target.name, files)


def _shown(content: bytes | None) -> Any:
    if content is None:
        return None
    try:
        return content.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(content).decode()}


def _bytes(content: Any) -> bytes | None:
    if isinstance(content, dict):
        return base64.b64decode(content["base64"])
    return None if content is None else content.encode()
