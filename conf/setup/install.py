"""Make .venv: pinned packages, Delta's jars, Horovod and the project itself. Run by setup.sh.

Each step leaves a stamp in .venv with what it depended on, so a second run does only what is missing.
Horovod compiles while the remaining packages are fetched.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import IO

from progress import Step, show
from stamps import Stamps, digest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
REQUIREMENTS = ROOT / "requirements.txt"
CONSTRAINTS = HERE / "constraints.txt"
# What Horovod's build reads beside torch.
BUILD_PACKAGES = ("numpy", "setuptools", "packaging", "cloudpickle", "psutil", "cffi", "pyyaml")


def main(launcher: str) -> None:
    """Bring .venv up to date for the launcher."""
    # Leave by way of the exits that stop the running steps.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    stamps = Stamps(VENV / ".sequoia")
    with REQUIREMENTS.open() as lock, ExitStack() as running:
        wait_for_others(lock)
        make_environment(stamps)
        packages = digest(REQUIREMENTS, CONSTRAINTS)
        build = start_horovod(stamps, packages, running) if launcher == "horovod" else None
        install_packages(stamps, packages)
        install_jars(stamps, packages)
        install_project(stamps)
        if build is not None:
            build.finish()
            install_horovod(stamps)
        stamps.set(f"ready-{launcher}", packages)
    show(f"setup: ready in {time.monotonic() - started:.0f} s, environment {VENV}")


def wait_for_others(lock: IO[str]) -> None:
    """Let one set-up at a time work on .venv; its steps inherit the lock and outlive a kill."""
    os.set_inheritable(lock.fileno(), True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        show("setup: waiting for another set-up of this folder to end")
        fcntl.flock(lock, fcntl.LOCK_EX)


def make_environment(stamps: Stamps) -> None:
    """Create .venv, or make it anew when it is broken, was moved, or a kill left packages half written."""
    if environment_works() and not stamps.get("installing"):
        return
    # Not sys.executable: in an activated .venv that is the very Python which --clear removes.
    base = Path(sys.base_prefix) / "bin" / "python3.11"
    run("virtual environment", base if base.exists() else sys.executable, "-m", "venv", "--clear", VENV)


def environment_works() -> bool:
    """Tell whether .venv is a Python 3.11 with pip, made at this very path."""
    pip = VENV / "bin" / "pip"
    if not PYTHON.exists() or not pip.exists() or str(PYTHON) not in pip.read_text(errors="replace"):
        return False
    probe = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"
    return subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode == 0


def start_horovod(stamps: Stamps, packages: str, running: ExitStack) -> Step | None:
    """Start building Horovod's wheel, or taking it from the cache, as soon as torch is in."""
    if stamps.get("packages") != packages:
        pip_install(stamps, "torch", "torch", *BUILD_PACKAGES)
    if stamps.get("horovod") == wheel_key():
        return None
    build = Step("Horovod's wheel", [PYTHON, HERE / "horovod_wheel.py", "build"], log("horovod-wheel"))
    running.callback(build.stop)
    return build


def install_packages(stamps: Stamps, packages: str) -> None:
    """Install requirements.txt in the versions of constraints.txt."""
    if stamps.get("packages") != packages:
        pip_install(stamps, "packages", "-r", REQUIREMENTS)
        stamps.set("packages", packages)


def install_jars(stamps: Stamps, packages: str) -> None:
    """Put Delta's jars beside Spark's."""
    if stamps.get("jars") != packages:
        run("Delta's jars", PYTHON, HERE / "delta_jars.py")
        stamps.set("jars", packages)


def install_project(stamps: Stamps) -> None:
    """Install the project itself, editable."""
    project = digest(ROOT / "setup.py", ROOT / "pyproject.toml")
    if stamps.get("project") != project:
        options = ("--no-index", "--no-deps", "--no-build-isolation", "--editable", ROOT)
        run("project", PYTHON, "-m", "pip", "install", *options)
        stamps.set("project", project)


def install_horovod(stamps: Stamps) -> None:
    """Install the wheel and try it."""
    run("Horovod", PYTHON, HERE / "horovod_wheel.py", "install")
    stamps.set("horovod", wheel_key())


def wheel_key() -> str:
    """Return what an installed Horovod depends on, seen from inside .venv."""
    command: list[str | Path] = [PYTHON, HERE / "horovod_wheel.py", "key"]
    return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()


def pip_install(stamps: Stamps, name: str, *what: str | Path) -> None:
    """Install by pip; a kill in between leaves the stamp `installing`, an orderly failure does not."""
    stamps.set("installing", name)
    step = Step(name, [PYTHON, "-m", "pip", "install", "--constraint", CONSTRAINTS, *what], log(name))
    try:
        step.finish()
    finally:
        if step.ended:
            stamps.remove("installing")


def run(name: str, *command: str | Path) -> None:
    """Run one step to its end."""
    Step(name, command, log(name)).finish()


def log(name: str) -> Path:
    """Return the log of a step, outside of .venv because that may be made anew."""
    plain = name.lower().replace(" ", "-").replace("'", "")
    return ROOT / "build" / "setup" / f"{plain}.log"


if __name__ == "__main__":
    main(sys.argv[1])
