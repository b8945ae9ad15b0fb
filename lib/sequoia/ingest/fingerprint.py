"""When a file counts as unchanged: same contents, read with the same settings by the same reader."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

from sequoia.ingest.find import RawFile
from sequoia.ingest.settings import IngestSettings

# Count up when the same file would give other rows.
READER = 1


def fingerprints(files: list[RawFile], settings: IngestSettings) -> dict[str, str]:
    """Return a checksum per source, of all bytes and of what decides how they are read."""
    decides = settings.model_dump(exclude={"raw", "category", "max_quarantined"})
    terms = json.dumps([READER, decides], sort_keys=True).encode()
    with ThreadPoolExecutor(max_workers=4) as pool:
        sums = pool.map(lambda file: _checksum(file, terms), files)
        return {file.source: digest for file, digest in zip(files, sums, strict=True)}


def _checksum(file: RawFile, terms: bytes) -> str:
    with open(file.path, "rb") as opened:
        contents = hashlib.file_digest(opened, "blake2b").digest()
    return hashlib.blake2b(contents + terms, digest_size=16).hexdigest()
