"""The copied code runs where there is no sequoia, and asks for no more than its model needs."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from sequoia.modelling.names import model_names
from sequoia.modelling.registry import module_of
from sequoia.tracking import bundle as bundle_module
from sequoia.tracking.bundle import Bundle, importable, write_bundle
from sequoia.tracking.logged_model import ENTRY

ROOT = Path(__file__).parents[2]
NAMES = {
    "counting": ["mlflow", "numpy", "pandas", "pyarrow", "pydantic", "safetensors", "scipy"],
    "neural": ["mlflow", "numpy", "pandas", "pyarrow", "pydantic", "safetensors", "torch"],
}
# Nothing else than the bundle may be found by the name of the package.
IMPORT_ALONE = """
import importlib, sys
sys.modules["sequoia"] = None
sys.path.insert(0, sys.argv[1])
for name in sys.argv[2:]:
    importlib.import_module(name)
print(sorted({name.partition(".")[0] for name in sys.modules} & {"torch", "pydantic", "pyspark", "scipy"}))
"""


def modules(bundle: Bundle) -> list[str]:
    paths = [path.relative_to(bundle.package.parent) for path in sorted(bundle.package.rglob("*.py"))]
    return [".".join(path.with_suffix("").parts).removesuffix(".__init__") for path in paths]


@pytest.mark.parametrize("kind", model_names())
def test_each_kind_runs_without_sequoia_and_pins_what_it_imports(kind: str, tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, ENTRY, module_of(kind))
    names = modules(bundle)
    assert f"{bundle.package.name}.models.{kind}" in names
    command = [sys.executable, "-c", IMPORT_ALONE, str(tmp_path), *names]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = "['pydantic', 'scipy']" if kind == "counting" else "['pydantic', 'torch']"
    assert done.stdout.strip() == expected
    assert [line.partition("==")[0] for line in bundle.requirements] == NAMES.get(kind, NAMES["neural"])
    text = bundle.entry.read_text()
    assert f"from {bundle.package.name}.recommend" in text
    assert "from sequoia." not in text


def test_no_pin_names_a_local_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "version", lambda name: f"2.13.0+cpu.{name}")
    bundle = write_bundle(tmp_path, ENTRY, module_of("sasrec"))
    assert "torch==2.13.0" in bundle.requirements
    assert all(re.fullmatch(r"[a-z]+==2\.13\.0", line) for line in bundle.requirements)


def test_a_runtime_with_mlflow_skinny_pins_mlflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def skinny(name: str) -> str:
        if name == "mlflow":
            raise PackageNotFoundError(name)
        return "2.13.1"

    monkeypatch.setattr(bundle_module, "version", skinny)
    assert "mlflow==2.13.1" in write_bundle(tmp_path, ENTRY, module_of("counting")).requirements


def test_other_code_has_another_name_and_the_same_code_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(folder: str) -> Bundle:
        (tmp_path / folder).mkdir()
        return write_bundle(tmp_path / folder, ENTRY, module_of("counting"))

    first, again = written("first"), written("again")
    read = bundle_module._read

    def changed(name: str) -> object:
        module = read(name)
        if module is None or name != "sequoia.recommend.lists":
            return module
        return bundle_module._Module(text=module.text + "\n", is_package=False, imports=module.imports)

    monkeypatch.setattr(bundle_module, "_read", changed)
    assert first.package.name == again.package.name != written("changed").package.name


def test_a_bundle_that_was_imported_to_be_stored_is_forgotten(tmp_path: Path) -> None:
    bundle = write_bundle(tmp_path, ENTRY, module_of("counting"))
    before = list(sys.path)
    with importable(bundle):
        __import__(f"{bundle.package.name}.models.counting")
    assert sys.path == before
    assert not [name for name in sys.modules if name.startswith(bundle.package.name)]


def test_sequoia_in_a_zip_is_copied_too(tmp_path: Path) -> None:
    packed, out = tmp_path / "sequoia.zip", tmp_path / "out"
    out.mkdir()
    with zipfile.ZipFile(packed, "w") as archive:
        for path in (ROOT / "lib" / "sequoia").rglob("*.py"):
            archive.write(path, path.relative_to(ROOT / "lib"))
    code = f"""
import sys
sys.path.insert(0, {str(packed)!r})
from pathlib import Path
from sequoia.tracking import bundle
assert {str(packed)!r} in bundle.__file__
print(bundle.write_bundle(Path({str(out)!r}), {ENTRY!r}, "sequoia.models.counting").package.name)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == write_bundle(tmp_path, ENTRY, module_of("counting")).package.name
