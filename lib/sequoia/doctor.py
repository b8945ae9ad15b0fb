"""Which parts of the environment work together, and what to do about those that do not.

It needs the standard library alone: `python -m sequoia.doctor` runs where not even click is installed.
Versions come from package metadata. Only Horovod is loaded, in a process of its own: whether it fits this
torch shows nowhere else.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from sequoia.checks import Check, render

__all__ = ["Check", "diagnose", "render"]

# What the edges need, in any version that requirements.txt allows.
OTHERS = "click isal jinja2 matplotlib pydantic pyyaml safetensors scipy tqdm pandas".split()
SETUP = "run `make setup`"
WITHOUT_HOROVOD = "or train with --launcher torchrun"
HOROVOD_PROBE = "import horovod.torch as h; print('gloo', h.gloo_built())"


def diagnose(launcher: str | None = None) -> list[Check]:
    """Check the environment for a launcher (horovod, torchrun, single; default LAUNCHER, then horovod)."""
    horovod = check_horovod(needed=(launcher or os.environ.get("LAUNCHER") or "horovod") == "horovod")
    torch = check_package("torch", r"2\.", "2.x")
    tools = [tool for tool in ("g++", "cmake") if shutil.which(tool)]
    return [
        check_python(),
        check_java(),
        check_spark_and_delta(),
        check_delta_jars(),
        check_package("petastorm", r"0\.12\.", "0.12.x"),
        check_package("pyarrow", r"(10|11|12|13|14)\.", "10 to 14, for petastorm"),
        check_package("numpy", r"1\.", "1.x, for petastorm and pyarrow"),
        torch,
        horovod,
        check_launchers(torch=torch.ok, horovod=horovod.ok),
        check_package("mlflow", r"3\.", "3.x"),
        check_others(),
        check_native_tools(tools, built=horovod.ok),
        describe_machine(),
    ]


def installed(package: str) -> str | None:
    """Return an installed package's version without loading it."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def check_package(package: str, pattern: str, wanted: str) -> Check:
    """Check that a package's version begins with a pattern."""
    found = installed(package)
    ok = found is not None and re.match(pattern, found) is not None
    return Check(name=package, ok=ok, found=found or "not installed", wanted=wanted, remedy=SETUP)


def check_others() -> Check:
    """Check the small packages, of which any version will do."""
    missing = [name for name in OTHERS if installed(name) is None]
    found = f"missing {', '.join(missing)}" if missing else "present"
    return Check(name="Others", ok=not missing, found=found, wanted="all of requirements.txt", remedy=SETUP)


def check_python() -> Check:
    """Check for Python 3.11, the version of the last runtime with Horovod and Petastorm."""
    remedy = "install Python 3.11, then " + SETUP
    ok = sys.version_info[:2] == (3, 11)
    return Check(name="Python", ok=ok, found=platform.python_version(), wanted="3.11", remedy=remedy)


def check_java() -> Check:
    """Check the Java that Spark would start: JAVA_HOME's, else the first on PATH."""
    home = os.environ.get("JAVA_HOME")
    java = shutil.which("java", path=str(Path(home) / "bin") if home else None)
    report = run([java, "-version"]) if java else ""
    major = re.search(r'version "(?:1\.)?(\d+)', report)
    found = major.group(1) if major else "not found"
    remedy = "install Java 17 (Debian: openjdk-17-jre-headless) and put it on PATH or into JAVA_HOME"
    return Check(name="Java", ok=found == "17", found=found, wanted="17, for Spark 3.5", remedy=remedy)


def check_spark_and_delta() -> Check:
    """Check the pair: delta-spark 3.x is compiled against Spark 3.5."""
    spark, delta = installed("pyspark") or "none", installed("delta-spark") or "none"
    ok = spark.startswith("3.5.") and delta.startswith("3.3.")
    return Check(name="Spark, Delta", ok=ok, found=f"{spark}, {delta}", wanted="3.5.x, 3.3.x", remedy=SETUP)


def check_delta_jars() -> Check:
    """Check that Delta's jars of the installed version lie beside Spark's own."""
    module = importlib.util.find_spec("pyspark")
    jars = Path(module.origin).parent / "jars" if module and module.origin else Path()
    delta = installed("delta-spark")
    if module is None or delta is None:
        found = "not installed"
        return Check(name="Delta's jars", ok=False, found=found, wanted="beside Spark's", remedy=SETUP)
    names = [f"delta-spark_2.12-{delta}.jar", f"delta-storage-{delta}.jar"]
    missing = [name for name in names if not (jars / name).is_file()]
    found = f"missing {', '.join(missing)}" if missing else "present"
    return Check(name="Delta's jars", ok=not missing, found=found, wanted=f"those of {delta}", remedy=SETUP)


def check_horovod(needed: bool) -> Check:
    """Check that Horovod loads with this torch and has Gloo."""
    release = installed("horovod")
    report = run([sys.executable, "-c", HOROVOD_PROBE]) if release else ""
    ok = "gloo True" in report
    problem = (report.strip().splitlines() or ["does not load"])[-1]
    found = "not installed" if release is None else f"{release}" if ok else f"{release}, {problem}"
    remedy = f"{SETUP} (needs g++ and CMake 3), {WITHOUT_HOROVOD}"
    return Check(name="Horovod", ok=ok, found=found, wanted="0.28.1 with Gloo", remedy=remedy, needed=needed)


def check_launchers(torch: bool, horovod: bool) -> Check:
    """Say which launchers of the training work."""
    names = [*(["horovod"] if horovod else []), *(["torchrun", "single"] if torch else [])]
    found = ", ".join(names) or "none"
    return Check(name="Launchers", ok=bool(names), found=found, wanted="at least one", remedy=SETUP)


def check_native_tools(tools: list[str], built: bool) -> Check:
    """Report the compiler and CMake; once Horovod is there nobody needs them."""
    wanted = "nothing, Horovod is built" if built else "g++, cmake"
    remedy = f"install g++ and CMake 3 to build Horovod, {WITHOUT_HOROVOD}"
    ok, found = built or len(tools) == 2, ", ".join(tools) or "none"
    return Check(name="Native tools", ok=ok, found=found, wanted=wanted, remedy=remedy, needed=False)


def describe_machine() -> Check:
    """Report cores and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    found = f"{os.cpu_count()} cores, {memory:.0f} GiB memory"
    return Check(name="Machine", ok=True, found=found, wanted="2 cores, 8 GiB or more", needed=False)


def run(command: list[str]) -> str:
    """Return what a short command prints, on both streams."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    return done.stdout + done.stderr


def healthy(checks: list[Check]) -> bool:
    """Say whether nothing that is needed is missing."""
    return not any(check.needed and not check.ok for check in checks)


if __name__ == "__main__":
    found = diagnose()
    print(render(found))
    sys.exit(0 if healthy(found) else 2)
