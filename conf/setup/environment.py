"""A virtual environment below the project's folder, and stamps of what was done to it."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from pathlib import Path
from typing import IO

from progress import Step, show
from stamps import Stamps, digest

HERE = Path(__file__).resolve().parent


class Environment:
    """One environment; logs of its steps lie outside of it because it may be made anew."""

    def __init__(self, folder: Path, *, constraints: Path, logs: Path) -> None:
        self.folder = folder
        self.python = folder / "bin" / "python"
        self.constraints = constraints
        self.logs = logs
        self.stamps = Stamps(folder / ".sequoia")

    def make(self) -> None:
        """Create it, or make it anew when it is broken, was moved, or a kill left packages half written."""
        if self.works() and not self.stamps.get("installing"):
            return
        # Not sys.executable: in an activated environment that is the very Python which --clear removes.
        base = Path(sys.base_prefix) / "bin" / "python3.11"
        python = base if base.exists() else sys.executable
        self.run("virtual environment", python, "-m", "venv", "--clear", self.folder)

    def works(self) -> bool:
        """Tell whether it is a Python 3.11 with pip, made at this very path."""
        pip = self.folder / "bin" / "pip"
        if not self.python.exists() or not pip.exists():
            return False
        if str(self.python) not in pip.read_text(errors="replace"):
            return False
        probe = "import pip, sys; sys.exit(sys.version_info[:2] != (3, 11))"
        return subprocess.run([self.python, "-c", probe], capture_output=True, check=False).returncode == 0

    def install(self, name: str, *what: str | Path) -> None:
        """Install by pip; a kill in between leaves the stamp `installing`, an orderly failure does not."""
        self.stamps.set("installing", name)
        pip: list[str | Path] = [self.python, "-m", "pip", "install", "--constraint", self.constraints]
        step = Step(name, [*pip, *what], self.log(name))
        try:
            step.finish()
        finally:
            if step.ended:
                self.stamps.remove("installing")

    def install_jars(self, packages: str) -> None:
        """Put Delta's jars beside Spark's; `packages` stands for the versions of both."""
        if self.stamps.get("jars") != packages:
            self.run("Delta's jars", self.python, HERE / "delta_jars.py")
            self.stamps.set("jars", packages)

    def archive_classes(self, packages: str) -> None:
        """Have Java archive what Spark loads, of these jars."""
        script = HERE / "class_archive.py"
        key = f"{packages} {digest(script)}"
        if self.stamps.get("classes") != key:
            self.run("Java's class archive", self.python, script)
            self.stamps.set("classes", key)

    def horovod_build(self) -> Step | None:
        """Start building Horovod's wheel, or taking it from the cache; None when it is installed."""
        if self.stamps.get("horovod") == self.wheel_key():
            return None
        build: list[str | Path] = [self.python, HERE / "horovod_wheel.py", "build"]
        return Step("Horovod's wheel", build, self.log("horovod-wheel"))

    def install_horovod(self) -> None:
        """Install the wheel and try it."""
        self.run("Horovod", self.python, HERE / "horovod_wheel.py", "install")
        self.stamps.set("horovod", self.wheel_key())

    def wheel_key(self) -> str:
        """Return what an installed Horovod depends on, seen from inside."""
        command: list[str | Path] = [self.python, HERE / "horovod_wheel.py", "key"]
        return subprocess.run(command, capture_output=True, check=True, text=True).stdout.strip()

    def run(self, name: str, *command: str | Path) -> None:
        """Run one step to its end."""
        Step(name, command, self.log(name)).finish()

    def log(self, name: str) -> Path:
        """Return the log of a step."""
        plain = name.lower().replace(" ", "-").replace("'", "")
        return self.logs / f"{plain}.log"


def wait_for_others(lock: IO[str]) -> None:
    """Let one set-up at a time work on this folder; its steps inherit the lock and outlive a kill."""
    os.set_inheritable(lock.fileno(), True)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        show("setup: waiting for another set-up of this folder to end")
        fcntl.flock(lock, fcntl.LOCK_EX)
