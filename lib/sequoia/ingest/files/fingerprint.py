"""When a file counts as unchanged: read with the same settings by the same reader, and the same as it was.

The same is a file of the same size and time of change with the same bytes at 16 places, or, where
`ingest.fingerprint` is `contents`, one with the same bytes, whatever its time: that reads all of them.
"""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sequoia.ingest.files.find import RawFile
from sequoia.ingest.settings import Fingerprint, IngestSettings
from sequoia.storage import is_local, locate

# Count up when the same file would give other rows.
READER = 2
SAMPLES = 16
SAMPLE_BYTES = 64 << 10


def fingerprints(files: list[RawFile], settings: IngestSettings) -> dict[str, str]:
    """Return a checksum per source, of the file and of what decides how it is read.

    A remote file is known by the checksum that its store keeps, else by size and time.
    """
    decides = settings.model_dump(exclude={"raw", "category", "max_quarantined", "max_dropped"})
    terms = json.dumps([READER, decides], sort_keys=True).encode()
    with ThreadPoolExecutor(max_workers=4) as pool:
        sums = pool.map(lambda file: _checksum(file, terms, settings.fingerprint), files)
        return {file.source: digest for file, digest in zip(files, sums, strict=True)}


def _checksum(file: RawFile, terms: bytes, how: Fingerprint) -> str:
    location = locate(file.path)
    if not is_local(location):
        known = file.stamp.encode()
    elif how == "contents":
        with location.open("rb") as opened:
            known = hashlib.file_digest(opened, "blake2b").digest()
    else:
        known = _sampled(location)
    return hashlib.blake2b(known + terms, digest_size=16).hexdigest()


def _sampled(path: Path) -> bytes:
    about = path.stat()
    found = hashlib.blake2b(f"{about.st_size} {about.st_mtime_ns}".encode())
    last = max(0, about.st_size - SAMPLE_BYTES)
    with path.open("rb") as opened:
        for sample in range(SAMPLES):
            opened.seek(last * sample // (SAMPLES - 1))
            found.update(opened.read(SAMPLE_BYTES))
    return found.digest()
