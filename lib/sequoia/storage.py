"""Every location of a run: what Python opens, and what Spark is given.

A location is a `pathlib.Path`, for everything that this machine mounts (Databricks' /Volumes and /dbfs too),
or a `UPath` of universal-pathlib, which has the same methods on fsspec: s3, abfss, hdfs. Why fsspec: Python
workers of Spark have no JVM, so Hadoop's file systems cannot serve them; pyarrow 14 knows no Azure; Petastorm
builds on it already. It is imported for remote locations only. Credentials come from the environment (AWS_*,
AZURE_STORAGE_*, Hadoop's configuration), never from the settings.

Spark always gets a full URI. A path without scheme is this machine's: left to fs.defaultFS it would be a
folder of HDFS. What Databricks mounts is given to Spark under the name that it has there.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias
from urllib.parse import unquote

from sequoia.errors import UserError

if TYPE_CHECKING:
    from typing_extensions import TypeIs
    from upath import UPath

Location: TypeAlias = "Path | UPath"

# Scheme as it is written, in fsspec, and the package beside universal-pathlib that serves it.
PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "abfss": "adlfs", "abfs": "adlfs", "hdfs": "pyarrow"}
STAMPS = ("ETag", "etag", "mtime", "last_modified", "created")  # what fsspec's file systems call it
READ_AHEAD = 8 << 20
AZURE = re.compile(r"(?P<container>[^@/]+)@(?P<account>[^./]+)\.dfs\.core\.windows\.net(?P<path>/.*)?")


def locate(text: str) -> Location:
    """Return the location that a setting names: a path, or a URI of a scheme in PACKAGES, file: or dbfs:.

    Characters stand for themselves (no %20). Raises UserError for another scheme, or without the package
    that serves it.
    """
    found = re.match(r"([A-Za-z][A-Za-z0-9+.-]+):(?=/)(.*)", text, flags=re.S)
    if found is None:
        return Path(text).expanduser().absolute()
    scheme, rest = found[1].lower(), found[2]
    path = "/" + rest.lstrip("/")
    if scheme == "file":
        return Path(path)
    if scheme == "dbfs":
        return Path(path if _is_volume(path) else f"/dbfs{path}")
    return _remote(text, scheme, rest.lstrip("/"))


def _remote(text: str, scheme: str, rest: str) -> UPath:
    package = PACKAGES.get(scheme)
    if package is None:
        known = ", ".join(f"{name}:" for name in ("file", "dbfs", *PACKAGES))
        raise UserError(
            f"{text} has the scheme {scheme}, which sequoia cannot read: use a path, or one of {known}"
        )
    if find_spec("upath") is None or find_spec(package) is None:
        raise UserError(
            f"{text} needs the packages universal-pathlib (0.3 or newer) and {package}: install both in the "
            "Python of the driver and in that of the executors"
        )
    from upath import UPath

    # Spark writes beside us: a listing that fsspec remembers would hide the newest version of a table.
    if scheme in ("s3", "s3a"):
        return UPath(f"s3://{rest.rstrip('/')}", use_listings_cache=False)
    if scheme == "hdfs":
        return UPath(text.rstrip("/") if rest else text)
    if AZURE.fullmatch(rest) is None:
        raise UserError(
            f"{text} does not name a container and its account: write abfss://<container>@<account>.dfs.core."
            "windows.net/<folder>"
        )
    # adlfs reads anonymously unless told otherwise, and then finds the credentials of the environment.
    return UPath(f"abfss://{rest.rstrip('/')}", anon=False, use_listings_cache=False)


def is_local(location: Location) -> TypeIs[Path]:
    """Say whether a location is a path of this machine."""
    return isinstance(location, Path)


def uri(location: Location) -> str:
    """Return what `locate` takes to find a location again: a plain path when it is this machine's."""
    if is_local(location):
        return str(location)
    options = location.storage_options
    if location.protocol == "abfss":
        container, _, path = location.path.partition("/")
        return f"abfss://{container}@{options['account_name']}.dfs.core.windows.net/{path}"
    if location.protocol == "hdfs":
        user = f"{options['user']}@" if options.get("user") else ""
        port = f":{options['port']}" if options.get("port") else ""
        return f"hdfs://{user}{options.get('host', '')}{port}{location.path}"
    return str(location)


def relative_to(location: Location, folder: Location) -> str:
    """Return the place of a location below a folder, as in models/latest.json."""
    inner, outer = uri(location), f"{uri(folder).rstrip('/')}/"
    assert inner.startswith(outer), f"{inner} does not lie in {outer}"
    return inner.removeprefix(outer)


def spark_uri(location: Location) -> str:
    """Return what Spark is given for a location: always with its scheme, but for /Volumes on Databricks."""
    plain = uri(location)
    if not is_local(location):
        return f"s3a{plain.removeprefix('s3')}" if location.protocol == "s3" else plain
    if _is_volume(plain):
        return plain
    return f"dbfs:{plain.removeprefix('/dbfs')}" if plain.startswith("/dbfs/") else f"file://{plain}"


def from_encoded(encoded: str) -> Location:
    """Return the location that Spark or MLflow names with %20 for a space, as in `DataFrame.inputFiles`."""
    return locate(unquote(encoded))


def is_mounted(encoded: str) -> bool:
    """Say whether what Spark or MLflow names is a path of this machine."""
    return encoded.startswith(("/", "file:", "dbfs:"))


def _is_volume(path: str) -> bool:
    return path.startswith("/Volumes/")


@dataclass(frozen=True, kw_only=True)
class Entry:
    """A file below a folder: its place there, its size, and what changes when its contents do."""

    location: Location
    relative: str
    bytes: int
    stamp: str


def entries(folder: Location) -> list[Entry]:
    """List all files below a folder (or a file itself) in the order of their places; none where nothing is.

    An object store is asked once. Stamps are its checksums, where it has them, else size and time.
    """
    if is_local(folder):
        below = (Path(top, name) for top, _, names in os.walk(folder, followlinks=True) for name in names)
        paths = [folder] if folder.is_file() else [path for path in below if path.exists()]
        found = [_local_entry(path, folder) for path in paths]
    else:
        listed = folder.fs.find(folder.path, detail=True)
        # Hadoop marks empty folders of an object store by entries that are no files.
        found = [
            _remote_entry(folder, path, about) for path, about in listed.items() if about["type"] == "file"
        ]
    return sorted(found, key=lambda entry: entry.relative)


def _local_entry(path: Path, folder: Path) -> Entry:
    about = path.stat()
    relative = path.name if path == folder else path.relative_to(folder).as_posix()
    return Entry(
        location=path, relative=relative, bytes=about.st_size, stamp=f"{about.st_size}-{about.st_mtime_ns}"
    )


def _remote_entry(folder: UPath, path: str, about: dict[str, Any]) -> Entry:
    relative = PurePosixPath(path).relative_to(folder.path).as_posix()
    known = next((about[key] for key in STAMPS if about.get(key)), None)
    stamp = hashlib.sha256(f"{about['size']} {known}".encode()).hexdigest()[:32]
    itself = relative == "."
    return Entry(
        location=folder if itself else folder / relative,
        relative=folder.name if itself else relative,
        bytes=int(about["size"]),
        stamp=stamp,
    )


def open_bytes(location: Location) -> BinaryIO:
    """Open a file to be read from its start to its end."""
    if is_local(location):
        return location.open("rb")
    # By default s3fs fetches 50 MB for the first line of a file.
    opened: BinaryIO = location.fs.open(location.path, "rb", block_size=READ_AHEAD)
    return opened


def remove(location: Location) -> None:
    """Remove a file or a folder with all that is in it, where there is one."""
    if not is_local(location):
        if location.is_dir():
            location.fs.rm(location.path, recursive=True)
        elif location.exists():
            location.unlink()
    elif location.is_dir():
        shutil.rmtree(location, ignore_errors=True)
    else:
        location.unlink(missing_ok=True)
