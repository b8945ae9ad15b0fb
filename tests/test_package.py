"""What the package holds, as a wheel and as the editable install."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel, built from a copy so that the working tree stays clean."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("lib", "jobs", "schemas", "conf"):
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / folder, source / folder, ignore=ignore)
    for name in ("setup.py", "pyproject.toml", "requirements.txt"):
        shutil.copy(ROOT / name, source)
    target = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(target), str(source)], check=True, capture_output=True)
    [built] = target.glob("sequoia-*.whl")
    return built


def test_the_wheel_holds_code_jobs_schemas_and_configs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, place, pattern in [
        ("lib/sequoia", "sequoia", "**/*.py"),
        ("jobs", "sequoia/jobs", "*.py"),
        ("schemas", "sequoia/schemas", "*.sql"),
        ("conf", "sequoia/conf", "*.yaml"),
    ]:
        sources = {f"{place}/{file.relative_to(ROOT / folder)}" for file in (ROOT / folder).glob(pattern)}
        assert sources
        assert sources - names == set()
    assert not [name for name in names if "setup/" in name or "tests/" in name]


def test_the_wheel_alone_finds_its_schemas_and_command(wheel: Path, tmp_path: Path) -> None:
    zipfile.ZipFile(wheel).extractall(tmp_path)
    probe = """
import sequoia
from importlib.resources import files

print(sequoia.__file__, sum(file.name.endswith(".sql") for file in files("sequoia.schemas").iterdir()))
"""
    # -S: the editable install of this environment must not help.
    command = [sys.executable, "-S", "-c", probe]
    environment = {"PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    location, count = done.stdout.split()
    assert location.startswith(str(tmp_path))
    assert int(count) == len(list((ROOT / "schemas").glob("*.sql"))) > 0
    [entry] = tmp_path.glob("sequoia-*.dist-info/entry_points.txt")
    assert "sequoia = sequoia.cli:main" in entry.read_text()


def test_the_editable_install_finds_the_folders_of_this_clone() -> None:
    for folder, suffix in {"schemas": ".sql", "conf": ".yaml"}.items():
        shipped = {file.name for file in files(f"sequoia.{folder}").iterdir() if file.name.endswith(suffix)}
        assert shipped == {file.name for file in (ROOT / folder).glob(f"*{suffix}")} != set()
