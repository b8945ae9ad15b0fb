"""When a file counts as unchanged: same contents, read with the same settings by the same reader."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor

from sequoia.ingest.find import RawFile
from sequoia.ingest.settings import IngestSettings
from sequoia.storage import is_local, locate

# Count up when the same file would give other rows.
READER = 1


def fingerprints(files: list[RawFile], settings: IngestSettings) -> dict[str, str]:
    """Return a checksum per source, of its contents and of what decides how they are read.

    The contents of a remote file are known by the checksum that its store keeps.
    """
    decides = settings.model_dump(exclude={"raw", "category", "max_quarantined"})
    terms = json.dumps([READER, decides], sort_keys=True).encode()
    with ThreadPoolExecutor(max_workers=4) as pool:
        sums = pool.map(lambda file: _checksum(file, terms), files)
        return {file.source: digest for file, digest in zip(files, sums, strict=True)}


def _checksum(file: RawFile, terms: bytes) -> str:
    location = locate(file.path)
    if is_local(location):
        with location.open("rb") as opened:
            contents = hashlib.file_digest(opened, "blake2b").digest()
    else:
        contents = file.stamp.encode()
    return hashlib.blake2b(contents + terms, digest_size=16).hexdigest()
