"""Leave examples out of wheels: 42 MB of pyautoattack's are networks that nobody here asks for.

`python slim_wheels.py FOLDER`; it needs nothing but Python.
"""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

LEFT_OUT = "/examples/"


def slim(wheel: Path) -> None:
    """Write a wheel again without its examples, if it has any."""
    with zipfile.ZipFile(wheel) as there:
        kept = [entry for entry in there.infolist() if LEFT_OUT not in entry.filename]
        if len(kept) == len(there.infolist()):
            return
        smaller = wheel.with_suffix(".smaller")
        with zipfile.ZipFile(smaller, "w", zipfile.ZIP_DEFLATED) as made:
            for entry in kept:
                made.writestr(entry, there.read(entry))
    smaller.replace(wheel)


if __name__ == "__main__":
    for path in sorted(Path(sys.argv[1]).glob("*.whl")):
        slim(path)
