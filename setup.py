"""The package `sequoia`: the library in lib/ and the folders jobs, schemas and conf inside it."""

from __future__ import annotations

from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent

# Folders beside lib/ that are part of the package, so that a wheel alone is enough on a cluster.
FOLDERS = ("jobs", "schemas", "conf")


def runtime_requirements() -> list[str]:
    """Return the lines of requirements.txt above its development part."""
    runtime, _, _ = (ROOT / "requirements.txt").read_text(encoding="ascii").partition("# development")
    return [line for line in runtime.splitlines() if line and not line.startswith("#")]


setup(
    name="sequoia",
    version="0.1.0",
    description="Sequential recommendation from raw interactions to promoted models.",
    python_requires=">=3.11,<3.12",
    packages=[*find_packages("lib"), *(f"sequoia.{folder}" for folder in FOLDERS)],
    package_dir={"": "lib", **{f"sequoia.{folder}": folder for folder in FOLDERS}},
    package_data={"": ["*.sql", "*.yaml", "*.html", "*.j2", "*.css", "*.js", "py.typed"]},
    install_requires=runtime_requirements(),
    entry_points={"console_scripts": ["sequoia = sequoia.cli:main"]},
    zip_safe=False,
)
