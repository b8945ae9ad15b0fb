"""Make .venv-runtime: the packages of Databricks Runtime 15.4 LTS ML, with sequoia as a cluster installs it.

Run by `make test-runtime`. The environment is large, so it is kept with stamps as .venv is; only the wheel is
built and installed each time. What the wheel moves beside what is allowed is an error.
"""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from environment import Environment, wait_for_others
from progress import show
from stamps import digest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PINS = HERE / "runtime-15.4-ml.txt"
WHEELS = ROOT / "build" / "runtime"
# The runtime has pydantic 1; version 2 and what it needs come with sequoia. Nothing else may move.
MOVED = {"pydantic", "typing-extensions"}


def main() -> None:
    """Bring the environment up to date and install the present code as a wheel."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    venv = Environment(ROOT / ".venv-runtime", constraints=PINS, logs=ROOT / "build" / "setup-runtime")
    with PINS.open() as lock, ExitStack() as running:
        wait_for_others(lock)
        venv.make()
        packages = digest(PINS)
        if venv.stamps.get("packages") != packages:
            venv.install("packages", "-r", PINS)
            venv.stamps.set("packages", packages)
        build = venv.horovod_build()
        if build is not None:
            running.callback(build.stop)
        venv.install_jars(packages)
        if build is not None:
            build.finish()
            venv.install_horovod()
        install_wheel(venv)
    show(f"setup: ready in {time.monotonic() - started:.0f} s, environment {venv.folder}")


def install_wheel(venv: Environment) -> None:
    """Build the wheel and install it as Databricks does: with --upgrade, dependencies left where they fit."""
    pip: list[str | Path] = [venv.python, "-m", "pip"]
    for old in (WHEELS, ROOT / "build" / "lib"):
        shutil.rmtree(old, ignore_errors=True)
    venv.run("wheel", *pip, "wheel", "--no-deps", "--wheel-dir", WHEELS, ROOT)
    [wheel] = WHEELS.glob("*.whl")
    venv.run("old sequoia", *pip, "uninstall", "--yes", wheel.name.partition("-")[0])
    venv.run("sequoia", *pip, "install", "--upgrade", wheel)
    venv.run("pip check", *pip, "check")
    moved = moved_pins(pinned(PINS), installed(venv))
    if moved:
        raise SystemExit(
            f"setup: the wheel moved {', '.join(moved)}: let requirements.txt allow what {PINS.name} has."
        )


def pinned(file: Path) -> dict[str, str]:
    """Return the versions of a file of pins by normalised name."""
    lines = [line for line in file.read_text(encoding="ascii").splitlines() if "==" in line]
    return {normalised(name): version for name, _, version in (line.partition("==") for line in lines)}


def installed(venv: Environment) -> dict[str, str]:
    """Return what the environment holds, without torch's build and the like."""
    pip: list[str | Path] = [venv.python, "-m", "pip", "list", "--disable-pip-version-check"]
    listed = subprocess.run([*pip, "--format", "json"], capture_output=True, check=True, text=True).stdout
    return {normalised(entry["name"]): entry["version"].partition("+")[0] for entry in json.loads(listed)}


def moved_pins(pins: dict[str, str], found: dict[str, str]) -> list[str]:
    """Name the packages that are not in their pinned version, apart from those that may move."""
    return [
        f"{name} from {version} to {found.get(name, 'nothing')}"
        for name, version in pins.items()
        if found.get(name) != version and name not in MOVED
    ]


def normalised(name: str) -> str:
    """Return a package's name in one spelling."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    main()
