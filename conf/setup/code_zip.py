"""Pack the code for spark-submit's --py-files: dist/sequoia-<version>.zip, all that a wheel would install.

PySpark 3.5 takes no wheel there. The same commit gives the same bytes. Needs Python and git, no packages.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "lib"))

from sequoia import __version__  # noqa: E402  (needs no package either)
from sequoia.provenance import COMMIT, commit  # noqa: E402

# Where setup.py puts the folders; of conf/ the settings alone.
PLACES = {
    "lib/sequoia": "sequoia",
    "jobs": "sequoia/jobs",
    "schemas": "sequoia/schemas",
    "conf": "sequoia/conf",
    "conf/models": "sequoia/conf/models",
}
SUFFIXES = {".py", ".sql", ".yaml", ".html", ".j2", ".css", ".js"}
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say


def pack(folder: Path) -> Path:
    """Write the zip into a folder, in the place of one of another version, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"sequoia-{__version__}.zip"
    unfinished = target.with_suffix(".partial")
    with ZipFile(unfinished, "w", ZIP_DEFLATED) as archive:
        for name, contents in sorted(files()):
            about = ZipInfo(name, EPOCH)
            about.external_attr = 0o644 << 16
            archive.writestr(about, contents, ZIP_DEFLATED)
    for old in folder.glob("sequoia-*.zip"):
        old.unlink()
    unfinished.rename(target)
    return target


def files() -> Iterator[tuple[str, bytes]]:
    """Yield every file's name in the zip and its contents; one of them says which commit it is."""
    for source, place in PLACES.items():
        folder = ROOT / source
        found = folder.rglob("*") if place == "sequoia" else folder.glob("*")
        for file in found:
            if file.suffix in SUFFIXES or file.name == "py.typed":
                yield f"{place}/{file.relative_to(folder).as_posix()}", file.read_bytes()
    if commit():
        yield f"sequoia/{COMMIT}", f"{commit()}\n".encode()


if __name__ == "__main__":
    print(pack(ROOT / "dist").relative_to(ROOT))
