"""Make .venv: pinned packages, Delta's jars, Horovod and the project itself. Run by setup.sh.

Each step leaves a stamp in .venv with what it depended on, so a second run does only what is missing.
Horovod compiles while the remaining packages are fetched.
"""

from __future__ import annotations

import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path

from environment import Environment, wait_for_others
from progress import Step, show
from stamps import digest

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
REQUIREMENTS = ROOT / "requirements.txt"
CONSTRAINTS = HERE / "constraints.txt"
# What Horovod's build reads beside torch.
BUILD_PACKAGES = ("numpy", "setuptools", "packaging", "cloudpickle", "psutil", "cffi", "pyyaml")


def main(launcher: str) -> None:
    """Bring .venv up to date for the launcher."""
    # Leave by way of the exits that stop the running steps.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    started = time.monotonic()
    venv = Environment(ROOT / ".venv", constraints=CONSTRAINTS, logs=ROOT / "build" / "setup")
    with REQUIREMENTS.open() as lock, ExitStack() as running:
        wait_for_others(lock)
        venv.make()
        packages = digest(REQUIREMENTS, CONSTRAINTS)
        build = start_horovod(venv, packages, running) if launcher == "horovod" else None
        install_packages(venv, packages)
        venv.install_jars(packages)
        install_project(venv)
        venv.archive_classes(packages)
        if build is not None:
            build.finish()
            venv.install_horovod()
        venv.stamps.set(f"ready-{launcher}", packages)
    show(f"setup: ready in {time.monotonic() - started:.0f} s, environment {venv.folder}")


def start_horovod(venv: Environment, packages: str, running: ExitStack) -> Step | None:
    """Start Horovod's wheel as soon as torch is in."""
    if venv.stamps.get("packages") != packages:
        venv.install("torch", "torch", *BUILD_PACKAGES)
    build = venv.horovod_build()
    if build is not None:
        running.callback(build.stop)
    return build


def install_packages(venv: Environment, packages: str) -> None:
    """Install requirements.txt in the versions of constraints.txt."""
    if venv.stamps.get("packages") != packages:
        venv.install("packages", "-r", REQUIREMENTS)
        venv.stamps.set("packages", packages)


def install_project(venv: Environment) -> None:
    """Install the project itself, editable."""
    project = digest(ROOT / "setup.py", ROOT / "pyproject.toml")
    if venv.stamps.get("project") != project:
        options = ("--no-index", "--no-deps", "--no-build-isolation", "--editable", ROOT)
        venv.run("project", venv.python, "-m", "pip", "install", *options)
        venv.stamps.set("project", project)


if __name__ == "__main__":
    main(sys.argv[1])
