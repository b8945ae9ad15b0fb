"""The code that a registered model brings along, so that it is served where sequoia is not installed.

It is the file that MLflow runs, the modules of sequoia that this file imports, and what those import. The
modules form a package named after a hash of their text, sequoia_model_<hash>. A model therefore answers with
the code that it was registered with: another sequoia may be installed or imported already, models of several
versions may be loaded in one process, and no model hides the installed sequoia.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

from packaging.version import Version

PACKAGE = "sequoia"
IMPORT_OF_IT = re.compile(rf"^(\s*from ){PACKAGE}(?=[. ])", re.MULTILINE)
HASH_DIGITS = 12


@dataclass(frozen=True, kw_only=True)
class Bundle:
    """Copied code: the file to run, the package that it needs, and the names that both import from others."""

    entry: Path
    package: Path
    others: tuple[str, ...]

    @property
    def requirements(self) -> list[str]:
        """Return the version of each package of others, without a build tag that only this machine knows."""
        return [f"{name}=={Version(_version(name)).public}" for name in self.others]


@dataclass(frozen=True, kw_only=True)
class _Module:
    text: str
    is_package: bool
    imports: frozenset[str]


def write_bundle(folder: Path, entry: str, *by_name: str) -> Bundle:
    """Copy the module `entry` as a file, and all of sequoia that it or a module of `by_name` imports.

    What a module imports by a name made at run time must stand in `by_name`. Imports under TYPE_CHECKING are
    left out, those in functions are not.
    """
    first = _read(entry)
    assert first is not None, f"{entry} is no module"
    modules = _closure([*first.imports, *by_name])
    digest = hashlib.sha256(repr([(name, module.text) for name, module in modules.items()]).encode())
    package = f"{PACKAGE}_model_{digest.hexdigest()[:HASH_DIGITS]}"
    entry_file = folder / f"{entry.rpartition('.')[2]}.py"
    entry_file.write_text(_renamed(first.text, package), encoding="utf-8")
    for name, module in modules.items():
        path = folder.joinpath(package, *name.split(".")[1:])
        path = path / "__init__.py" if module.is_package else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_renamed(module.text, package), encoding="utf-8")
    imported = {_top(name) for module in (first, *modules.values()) for name in module.imports}
    others = tuple(sorted(imported - {PACKAGE} - sys.stdlib_module_names))
    return Bundle(entry=entry_file, package=folder / package, others=others)


@contextmanager
def importable(bundle: Bundle) -> Iterator[None]:
    """Let the bundle be imported from a folder that will be gone, and forget it afterwards."""
    paths, name = sys.path, bundle.package.name
    sys.path = [str(bundle.package.parent), *paths]
    try:
        yield
    finally:
        sys.path = paths
        for module in [found for found in sys.modules if found == name or found.startswith(f"{name}.")]:
            del sys.modules[module]


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        # Databricks' runtimes hold mlflow as mlflow-skinny; both have one version.
        return version(f"{name}-skinny")


def _closure(names: Iterable[str]) -> dict[str, _Module]:
    found: dict[str, _Module] = {}
    wanted = list(names)
    while wanted:
        name = wanted.pop()
        if _top(name) != PACKAGE or name in found:
            continue
        module = _read(name)
        if module is not None:  # else a class or function of a module
            found[name] = module
            wanted += [*module.imports, name.rpartition(".")[0]]
    return dict(sorted(found.items()))


def _read(name: str) -> _Module | None:
    # As resources: sequoia may be a zip on a cluster.
    parts = name.split(".")[1:]
    for place in ([*parts, "__init__.py"], [*parts[:-1], f"{parts[-1]}.py"] if parts else []):
        file = files(PACKAGE).joinpath(*place)
        if file.is_file():
            text = file.read_text(encoding="utf-8")
            return _Module(
                text=text, is_package=place[-1] == "__init__.py", imports=frozenset(_imports(ast.parse(text)))
            )
    return None


def _imports(tree: ast.AST) -> Iterator[str]:
    """Yield each imported name; whether it is a module or something in one, its text does not say."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.module and not node.level, "relative imports are not copied"
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
            assert PACKAGE not in map(_top, names), f"write from {PACKAGE}... import: the package is renamed"
            yield from names
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            yield from _imports(node)


def _top(name: str) -> str:
    return name.partition(".")[0]


def _renamed(text: str, package: str) -> str:
    return IMPORT_OF_IT.sub(rf"\g<1>{package}", text)
