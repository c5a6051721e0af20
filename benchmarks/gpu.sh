#!/usr/bin/env bash
# What a GPU does to scores and to speed, in one command of at most 8 minutes, without a network.
#
#   bash benchmarks/gpu.sh prepare                 where there is a network: wheels, weights, rows, under 60 MB
#   bash benchmarks/gpu.sh [--out FILE] [--device cpu]   on the machine with CUDA; figures as JSON
#
# The machine brings Python 3.12 and its own torch, transformers and sentence-transformers; what else
# is missing there comes from build/gpu, which `prepare` fills, and is installed into a folder of its own.
set -euo pipefail
cd "$(dirname "$0")/.."
export HF_HUB_OFFLINE=1 TOKENIZERS_PARALLELISM=true

if [[ "${1:-}" == prepare ]]; then
    exec python3 -m benchmarks.gpu.prepare "${@:2}"
fi

# Packages that the machine has are left as they are: only missing ones are installed.
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
python3 benchmarks/gpu/install.py build/gpu/wheels "$site"
export PYTHONPATH="$PWD:$PWD/plugins:$site${PYTHONPATH:+:$PYTHONPATH}"
python3 -m benchmarks.gpu "$@"
