"""The distribution `sequoia-recsys`: the package `sequoia`, from lib/ and the folders jobs, schemas, conf."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from setuptools import find_packages, setup
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT / "lib"))

from sequoia import __version__  # noqa: E402  (neither needs a package)
from sequoia.provenance import COMMIT, commit  # noqa: E402

# Folders beside lib/ that are part of the package, so that a wheel alone is enough on a cluster.
FOLDERS = ("jobs", "schemas", "conf")

# A Spark cluster for machine learning has these in versions that fit together; a second pyspark breaks it.
# Where there is no cluster they are the extra `local`: `pip install ".[local]"` in a checkout, not by a name:
# `sequoia` is another project on the package index.
PLATFORM = frozenset(
    (
        "cffi cloudpickle delta-spark deltalake mlflow numpy pandas petastorm psutil pyarrow pyspark "
        "setuptools torch"
    ).split()
)

# What opens locations on remote storage (sequoia/storage.py); HDFS needs Hadoop's libhdfs beside it.
REMOTE = {
    "s3": ["s3fs", "universal-pathlib>=0.3"],
    "azure": ["adlfs", "universal-pathlib>=0.3"],
    "hdfs": ["universal-pathlib>=0.3"],
}


class WithCommit(build_py):
    """Write which commit the code is of, where git knows, into what is installed without a checkout."""

    def run(self) -> None:
        """Build as ever, then write the file or take an earlier build's away."""
        super().run()
        if self.editable_mode:
            return
        file = Path(self.build_lib, "sequoia", COMMIT)
        file.unlink(missing_ok=True)
        if commit():
            file.write_text(f"{commit()}\n", encoding="utf-8")


def runtime_requirements(*, platform: bool) -> list[str]:
    """Return the run time lines of requirements.txt: those of the platform, or the others."""
    runtime, _, _ = (ROOT / "requirements.txt").read_text(encoding="ascii").partition("# development")
    lines = [line for line in runtime.splitlines() if line and not line.startswith("#")]
    return [line for line in lines if (re.split("[=<>]", line)[0] in PLATFORM) == platform]


setup(
    name="sequoia-recsys",
    version=__version__,
    description="Sequential recommendation from raw interactions to promoted models.",
    license_expression="Apache-2.0",
    license_files=["LICENSE"],
    classifiers=[
        "Development Status :: 3 - Alpha",
        "Intended Audience :: Developers",
        "Programming Language :: Python :: 3.11",
        "Topic :: Scientific/Engineering :: Artificial Intelligence",
    ],
    python_requires=">=3.11,<3.12",
    packages=[*find_packages("lib"), *(f"sequoia.{folder}" for folder in FOLDERS)],
    package_dir={"": "lib", **{f"sequoia.{folder}": folder for folder in FOLDERS}},
    package_data={"": ["*.sql", "*.yaml", "models/*.yaml", "*.html", "*.j2", "*.css", "*.js", "py.typed"]},
    install_requires=runtime_requirements(platform=False),
    extras_require={"local": runtime_requirements(platform=True), **REMOTE},
    cmdclass={"build_py": WithCommit},
    entry_points={"console_scripts": ["sequoia = sequoia.cli:main"]},
    zip_safe=False,
)
