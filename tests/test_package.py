"""What the package holds, as a wheel and as the editable install."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from email.parser import Parser
from importlib.resources import files
from pathlib import Path

import pytest

from sequoia import __version__

ROOT = Path(__file__).parents[1]
TEXTS = {".py", ".md", ".txt", ".yaml", ".yml", ".toml", ".sh", ".ipynb"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a wheel is built from, as one commit of its own, so that the working tree stays clean."""
    source = tmp_path_factory.mktemp("source")
    for folder in ("lib", "jobs", "schemas", "conf"):
        ignore = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(ROOT / folder, source / folder, ignore=ignore)
    for name in ("setup.py", "pyproject.toml", "requirements.txt", "LICENSE"):
        shutil.copy(ROOT / name, source)
    git(source, "init", "--quiet")
    git(source, "add", "--all")
    git(source, "-c", "user.name=ada", "-c", "user.email=ada@shop.example", "commit", "--quiet", "-m", "all")
    return source


@pytest.fixture(scope="module")
def wheel(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's wheel."""
    return build(source, tmp_path_factory.mktemp("wheel"))


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def build(source: Path, target: Path) -> Path:
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--no-index"]
    subprocess.run([*pip, "--wheel-dir", str(target), str(source)], check=True, capture_output=True)
    [built] = target.glob("*.whl")
    return built


def commit_in(archive: Path) -> str:
    with zipfile.ZipFile(archive) as opened:
        return opened.read("sequoia/commit.txt").decode().strip()


def test_the_wheel_holds_code_jobs_schemas_and_configs(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for folder, place, pattern in [
        ("lib/sequoia", "sequoia", "**/*.py"),
        ("jobs", "sequoia/jobs", "*.py"),
        ("schemas", "sequoia/schemas", "*.sql"),
        ("conf", "sequoia/conf", "*.yaml"),
        ("conf/models", "sequoia/conf/models", "*.yaml"),
    ]:
        sources = {f"{place}/{file.relative_to(ROOT / folder)}" for file in (ROOT / folder).glob(pattern)}
        assert sources
        assert sources - names == set()
    assert not [name for name in names if "setup/" in name or "tests/" in name or name.endswith(".md")]


def test_the_wheel_names_the_project_its_version_and_its_licence(wheel: Path) -> None:
    assert wheel.name == f"sequoia_recsys-{__version__}-py3-none-any.whl"
    with zipfile.ZipFile(wheel) as opened:
        folder = f"sequoia_recsys-{__version__}.dist-info"
        told = Parser().parsestr(opened.read(f"{folder}/METADATA").decode("utf-8"))
        licence = opened.read(f"{folder}/licenses/LICENSE").decode("utf-8")
    assert (told["Name"], told["Version"]) == ("sequoia-recsys", __version__)
    assert (told["License-Expression"], told.get_all("License-File")) == ("Apache-2.0", ["LICENSE"])
    assert licence == (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License\n                           Version 2.0, January 2004" in licence
    assert "END OF TERMS AND CONDITIONS" in licence


def test_the_installed_wheel_knows_its_commit(source: Path, wheel: Path, tmp_path: Path) -> None:
    commit = git(source, "rev-parse", "--short=12", "HEAD")
    assert commit_in(wheel) == commit
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--target", str(tmp_path)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    # The environment lends its packages; sequoia is found before its editable install.
    command = [sys.executable, str(tmp_path / "bin" / "sequoia"), "--version"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"sequoia {__version__}+{commit}\n"


def test_a_wheel_of_a_changed_checkout_says_so_and_one_without_git_says_nothing(
    source: Path, wheel: Path, tmp_path: Path
) -> None:
    changed = shutil.copytree(source, tmp_path / "changed")
    with (changed / "conf" / "base.yaml").open("a") as file:
        file.write("# mine\n")
    assert commit_in(build(changed, tmp_path / "first")) == f"{commit_in(wheel)}.dirty"
    shutil.rmtree(changed / ".git")
    with zipfile.ZipFile(build(changed, tmp_path / "second")) as opened:
        assert "sequoia/commit.txt" not in opened.namelist()


def test_nothing_installs_by_a_strangers_name() -> None:
    """`sequoia` on the package index is somebody else's; what a user may copy or follow must not fetch it."""
    by_name = re.compile(r"\binstall\b[^.`;]{0,80}?[\s\"']sequoia(?![-_\w/.])|\bsequoia\[[a-z]")
    texts = [file for file in shipped_files() if file.suffix in TEXTS]
    assert ROOT / "README.md" in texts
    assert ROOT / "setup.py" in texts
    assert [file.name for file in texts if by_name.search(file.read_text(encoding="utf-8"))] == []
    for recommended in (
        *('pip install "sequoia[local]"', "pip install -U sequoia", "pip install sequoia==0.2"),
        *("install them, or sequoia with its extra s3", "install\nsequoia first", "add sequoia[s3] to them"),
    ):
        assert by_name.search(recommended), recommended
    for allowed in (
        *("pip install sequoia-recsys", "pip install dist/sequoia_recsys-0.2.0-py3-none-any.whl"),
        *("pip uninstall sequoia", "`pip install .`: sequoia is there", "pip install 'sequoia-recsys[s3]'"),
    ):
        assert not by_name.search(allowed), allowed


def shipped_files() -> list[Path]:
    folders = ("lib", "jobs", "conf", "schemas", "docs", "notebooks", ".ci")
    inside = [file for folder in folders for file in (ROOT / folder).rglob("*")]
    return [file for file in [*ROOT.iterdir(), *inside] if file.is_file()]


def test_the_changelog_has_a_place_for_what_comes_and_the_version_before() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), flags=re.M)
    assert headings[0] == "Unreleased"
    assert headings[-1] == "0.1.0"
    assert len(headings) == len(set(headings))


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
    [entry] = tmp_path.glob("sequoia_recsys-*.dist-info/entry_points.txt")
    assert "sequoia = sequoia.cli:main" in entry.read_text()


def test_the_editable_install_finds_the_folders_of_this_clone() -> None:
    for folder, suffix in {"schemas": ".sql", "conf": ".yaml"}.items():
        shipped = {file.name for file in files(f"sequoia.{folder}").iterdir() if file.name.endswith(suffix)}
        assert shipped == {file.name for file in (ROOT / folder).glob(f"*{suffix}")} != set()


@pytest.fixture(scope="module")
def code_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make dist` makes, made twice: the same bytes."""
    packed = [pack(tmp_path_factory.mktemp("dist")) for _ in range(2)]
    assert packed[0].read_bytes() == packed[1].read_bytes()
    return packed[0]


def pack(folder: Path) -> Path:
    (folder / "sequoia-0.0.1.zip").touch()
    code = "import sys; sys.path.insert(0, sys.argv[1]); import code_zip, pathlib; "
    code += "print(code_zip.pack(pathlib.Path(sys.argv[2])))"
    command = [sys.executable, "-I", "-c", code, str(ROOT / "conf" / "setup"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    [only] = folder.iterdir()
    assert str(only) == done.stdout.strip()
    return only


def test_the_zip_for_clusters_holds_what_the_wheel_holds(wheel: Path, code_zip: Path) -> None:
    in_wheel = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    without_git = set() if (ROOT / ".git").exists() else {"sequoia/commit.txt"}
    assert set(zipfile.ZipFile(code_zip).namelist()) == in_wheel - without_git


def test_a_zip_on_the_path_is_enough(code_zip: Path, tmp_path: Path) -> None:
    probe = """
from pathlib import Path

import sequoia
from sequoia.config import load_config
from sequoia.errors import UserError
from sequoia.provenance import code_version
from sequoia.report.page import _shipped
from sequoia.tables.contracts import contract, table_names
from sequoia.tracking.bundle import write_bundle

print(sequoia.__file__)
print(load_config("cluster.yaml").sequences.shards, len(table_names()), contract("events").version)
print(len(_shipped("page.css")) > 0, write_bundle(Path("."), "sequoia.tracking.next_item_model").entry)
print(code_version())
try:
    load_config("nothing.yaml")
except UserError as error:
    print(error)
"""
    environment = {**os.environ, "PYTHONPATH": str(code_zip), "SEQUOIA_COPIES": str(tmp_path / "copies")}
    command = [sys.executable, "-c", probe]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    place, settings, files, version, sentence = done.stdout.splitlines()
    assert place == f"{code_zip}/sequoia/__init__.py"
    assert settings == f"32 {len(list((ROOT / 'schemas').glob('*.sql')))} 2"
    assert files == "True next_item_model.py"
    if (ROOT / ".git").exists():
        assert version.partition("+")[2] == commit_in(code_zip) != ""
    assert sentence.startswith("no configuration file nothing.yaml: name a YAML file, or one of base.yaml, ")
