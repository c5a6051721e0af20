"""Install the wheels of distributions that this Python lacks into a folder; what is there is left alone.

    python benchmarks/gpu/install.py WHEELS FOLDER

Needs nothing but the standard library and pip.
"""

import importlib.metadata
import subprocess
import sys
from pathlib import Path


def missing(wheels: Path) -> list[Path]:
    """Return the wheels whose distribution is not installed, in any version."""
    present = {distribution.metadata["Name"] for distribution in importlib.metadata.distributions()}
    normal = {_normal(name) for name in present if name}
    return [
        wheel for wheel in sorted(wheels.glob("*.whl")) if _normal(wheel.name.split("-")[0]) not in normal
    ]


def _normal(name: str) -> str:
    return name.lower().replace("_", "-").replace(".", "-")


def main() -> None:
    """Install; raises SystemExit where pip fails."""
    wheels, folder = Path(sys.argv[1]), sys.argv[2]
    chosen = [str(wheel) for wheel in missing(wheels)]
    print(f"missing here: {', '.join(Path(wheel).name for wheel in chosen) or 'nothing'}", file=sys.stderr)
    if chosen:
        options = ["--no-index", "--no-deps", "--no-compile", "--no-cache-dir", "--target", folder]
        sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", "-q", *options, *chosen]))


if __name__ == "__main__":
    main()
