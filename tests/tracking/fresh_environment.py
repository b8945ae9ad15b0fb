"""A virtual environment with a model's requirements and nothing else, made without the network.

The packages are links to those of the environment that the tests run in: what requirements.txt names, what
those require, and not one more. pip would choose newer versions of what is not pinned: the long tests ask it.
"""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LAUNCHER = "#!{python}\nfrom {module} import {attribute}\nraise SystemExit({attribute}())\n"


def fresh_environment(folder: Path, requirements: Path) -> Path:
    """Make the environment and return its folder of commands."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    [packages] = folder.glob("lib/python*/site-packages")
    for found in required(requirements.read_text(encoding="utf-8").splitlines()):
        link(found, packages)
        for command in found.entry_points.select(group="console_scripts"):
            launcher = folder / "bin" / command.name
            text = LAUNCHER.format(
                python=folder / "bin" / "python", module=command.module, attribute=command.attr
            )
            launcher.write_text(text, encoding="utf-8")
            launcher.chmod(0o755)
    return folder / "bin"


def required(lines: list[str]) -> list[Distribution]:
    """Return the distributions of the lines and of all that they require, as pip would."""
    found: dict[str, Distribution] = {}
    wanted = [(Requirement(line), "") for line in lines]
    while wanted:
        requirement, extra = wanted.pop()
        name = canonicalize_name(requirement.name)
        if requirement.marker and not requirement.marker.evaluate({"extra": extra}):
            continue
        if name in found and not requirement.extras:
            continue
        found[name] = distribution(name)
        assert requirement.specifier.contains(found[name].version.partition("+")[0]), requirement
        for line in found[name].requires or []:
            wanted += [(Requirement(line), asked) for asked in ("", *requirement.extras)]
    return list(found.values())


def link(found: Distribution, packages: Path) -> None:
    """Link the top folders and files of a distribution."""
    for top in {Path(file).parts[0] for file in found.files or []} - {"..", "__pycache__"}:
        target = packages / top
        if not target.exists():
            target.symlink_to(Path(str(found.locate_file(top))).absolute())
