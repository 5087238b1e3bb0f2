#!/usr/bin/env bash
# What a machine with PyTorch, NumPy and pytest, but no package registry, lacks for `make gpu`.
#   wheels.sh fetch WHEELS           here: download what wheels.txt names, for Python 3.12 on x86-64 Linux
#   wheels.sh install WHEELS SITE    there: install it into the folder SITE, for PYTHONPATH
# $PYTHON is the Python that does it (python3).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
python=${PYTHON:-python3}

case "${1:-} $#" in
  "fetch 2")
    platforms=()
    for platform in manylinux_2_28_x86_64 manylinux_2_27_x86_64 manylinux_2_17_x86_64 manylinux2014_x86_64; do
      platforms+=(--platform "$platform")
    done
    "$python" -m pip download --quiet --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
      "${platforms[@]}" --requirement "$here/wheels.txt" --dest "$2"
    "$python" "$here/slim_wheels.py" "$2"
    ;;
  "install 3")
    mkdir -p "$3"
    "$python" -m pip install --quiet --no-index --find-links "$2" --no-deps --no-compile --upgrade \
      --target "$3" --requirement "$here/wheels.txt"
    ln -sfn "$root/data" "$3/mnuts_data" # the package of data is this folder, under another name
    ;;
  *)
    sed -n 's/^# \?//; 2,5p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
