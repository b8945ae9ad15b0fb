"""Horovod for this environment: its wheel is built once into the project's cache and installed from there.

The recipe: Gloo and PyTorch only, a compiler wrapper that asks for C++20, no source patch.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cache import cache_folder

HOROVOD = "0.28.1"
WRAPPER = Path(__file__).resolve().parent / "cxx-gnu20"
BUILD = {
    "HOROVOD_WITH_PYTORCH": "1",
    "HOROVOD_WITHOUT_TENSORFLOW": "1",
    "HOROVOD_WITHOUT_MXNET": "1",
    "HOROVOD_WITHOUT_MPI": "1",
    "HOROVOD_WITH_GLOO": "1",
    "HOROVOD_CPU_OPERATIONS": "GLOO",
}


def torch_build() -> str:
    """Read torch's version with its build (+cpu, +cu130) from its file: importing torch takes seconds."""
    found = importlib.util.find_spec("torch")
    if found is None or found.origin is None:
        raise SystemExit("torch is not installed in this environment: run `make setup` first.")
    source = (Path(found.origin).parent / "version.py").read_text(encoding="utf-8")
    line = next(line for line in source.splitlines() if line.startswith("__version__ ="))
    return line.partition("=")[2].strip().strip("'\"")


@dataclass(frozen=True, kw_only=True)
class Variant:
    """A way to build it: how its wheel's folder ends, and what differs from BUILD."""

    suffix: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)


PLAIN = Variant()


def wheel_key(variant: Variant = PLAIN) -> str:
    """Name what a built wheel depends on."""
    system = f"{platform.system().lower()}-{platform.machine()}{variant.suffix}"
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return f"{python}-torch{torch_build()}-horovod{HOROVOD}-{system}"


def parallel_compilers() -> int:
    """Return how many compilers fit: one per core, and 2 GiB of memory for each."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return max(1, min(len(os.sched_getaffinity(0)), memory >> 31))


def build(folder: Path, variant: Variant) -> None:
    """Build in a scratch folder and rename, so that an interrupted build leaves no half-written wheel."""
    own = {"CXX": str(WRAPPER), "MAKEFLAGS": f"-j{parallel_compilers()}"}
    environment = {**os.environ, **BUILD, **own, **variant.settings}
    pip = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--verbose",
        "--no-cache-dir",
        "--no-deps",
        "--no-build-isolation",
    ]
    with tempfile.TemporaryDirectory(dir=folder, prefix="building-") as scratch:
        command = [*pip, "--no-binary", "horovod", "--wheel-dir", scratch, f"horovod=={HOROVOD}"]
        subprocess.run(command, env=environment, check=True)
        for wheel in Path(scratch).glob("horovod-*.whl"):
            wheel.rename(folder / wheel.name)


def wheel(variant: Variant = PLAIN) -> Path:
    """Return the wheel, built if it is not there; a second set-up waits for the first one's build."""
    folder = cache_folder() / "wheels" / wheel_key(variant)
    folder.mkdir(parents=True, exist_ok=True)
    lock = os.open(folder, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        if not list(folder.glob("horovod-*.whl")):
            build(folder, variant)
        return next(folder.glob("horovod-*.whl"))
    finally:
        os.close(lock)


def install(variant: Variant = PLAIN) -> None:
    """Install the wheel; one that does not load here (a cache shared between machines) is built again."""
    if not installed_loads(wheel(variant)):
        wheel(variant).unlink()
        if not installed_loads(wheel(variant)):
            raise SystemExit("Horovod was built, but `import horovod.torch` fails: see above.")


def installed_loads(file: Path) -> bool:
    """Install a wheel and tell whether Horovod loads with this torch."""
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--no-deps", "--force-reinstall"]
    subprocess.run([*pip, file], check=True)
    return subprocess.run([sys.executable, "-c", "import horovod.torch"], check=False).returncode == 0


if __name__ == "__main__":
    if sys.argv[1] == "install":
        install()
    else:
        print({"key": wheel_key, "build": wheel}[sys.argv[1]]())
