"""Which parts of the environment work together, and what to do about those that do not.

It needs the standard library alone: `python -m sequoia.doctor` runs where not even click is installed.
Versions come from package metadata, the ranges of what the wheel brings from the wheel's own. Only Horovod is
loaded, in a process of its own: whether it fits this torch shows nowhere else. On Databricks, Spark and Delta
are the runtime's and not looked for.
"""

from __future__ import annotations

import importlib.util
import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

from sequoia.doctor_report import Check, render
from sequoia.installed import (
    RUNTIME,
    allows,
    asked_for,
    how_to_get_packages,
    how_to_get_platform,
    installed,
    runtime,
)

__all__ = ["Check", "diagnose", "render"]

# What the edges need, in any version that the wheel allows.
OTHERS = "click isal jinja2 matplotlib pydantic pyyaml safetensors scipy sqlglot tqdm pandas".split()
WITHOUT_HOROVOD = "or train with training.launcher=torchrun"
JAVAS = ("8", "11", "17")  # that Spark 3.5 runs on
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
        check_mlflow(),
        check_others(),
        check_deltalake(),
        check_native_tools(tools, built=horovod.ok),
        describe_machine(),
    ]


def check_package(package: str, pattern: str, wanted: str) -> Check:
    """Check that a package's version begins with a pattern."""
    found = installed(package)
    ok = found is not None and re.match(pattern, found) is not None
    remedy = how_to_get_platform()
    return Check(name=package, ok=ok, found=found or "not installed", wanted=wanted, remedy=remedy)


def check_mlflow() -> Check:
    """Check for MLflow, whole or skinny, in the versions that the wheel allows."""
    found = installed("mlflow") or installed("mlflow-skinny")
    versions = asked_for().get("mlflow-skinny", "")
    return Check(
        name="mlflow",
        ok=found is not None and allows(versions, found),
        found=found or "not installed",
        wanted=f"mlflow or mlflow-skinny {versions}".strip(),
        remedy=how_to_get_packages(),
    )


def check_others() -> Check:
    """Check the small packages, in the versions that the wheel allows."""
    versions = asked_for()
    found = {name: installed(name) for name in OTHERS}
    missing = [name for name, release in found.items() if release is None]
    problems = [f"missing {', '.join(missing)}"] if missing else []
    for name, release in found.items():
        if release is not None and not allows(versions.get(name, ""), release):
            problems.append(f"{name} {release} is not {versions[name]}")
    said, wanted = "; ".join(problems) or "present", "all that the wheel asks for"
    return Check(name="Others", ok=not problems, found=said, wanted=wanted, remedy=how_to_get_packages())


def check_deltalake() -> Check:
    """Report deltalake, which spares small tables on this machine a Spark job; without it they have one."""
    found = installed("deltalake")
    wanted = "1.x, for small tables on this machine without Spark"
    ok, remedy = found is not None and found.startswith("1."), "pip install 'deltalake<2'"
    shown = found or "not installed"
    return Check(name="deltalake", ok=ok, found=shown, wanted=wanted, remedy=remedy, needed=False)


def check_python() -> Check:
    """Check for Python 3.11, the version of the last runtime with Horovod and Petastorm."""
    remedy = "install Python 3.11" if runtime() is None else how_to_get_platform()
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
    wanted = f"{', '.join(JAVAS[:-1])} or {JAVAS[-1]}, for Spark 3.5"
    return Check(name="Java", ok=found in JAVAS, found=found, wanted=wanted, remedy=remedy)


def check_spark_and_delta() -> Check:
    """Check the pair: delta-spark 3.x is compiled against Spark 3.5. Databricks has a pair of its own."""
    name, remedy, release = "Spark, Delta", how_to_get_platform(), runtime()
    if release is not None:
        ok, found = release.startswith(RUNTIME), f"Databricks Runtime {release}"
        return Check(name=name, ok=ok, found=found, wanted=f"{RUNTIME} LTS ML", remedy=remedy)
    spark, delta = installed("pyspark") or "none", installed("delta-spark") or "none"
    ok = spark.startswith("3.5.") and re.match(r"3\.[23]\.", delta) is not None
    return Check(name=name, ok=ok, found=f"{spark}, {delta}", wanted="3.5.x, 3.2.x or 3.3.x", remedy=remedy)


def check_delta_jars() -> Check:
    """Check that Delta's jars of the installed version lie beside Spark's own; Databricks brings its own."""
    name, wanted, delta = "Delta's jars", "beside Spark's", installed("delta-spark")
    if runtime() is not None:
        return Check(name=name, ok=True, found="the runtime's", wanted="the runtime's")
    module = importlib.util.find_spec("pyspark")
    if module is None or module.origin is None or delta is None:
        remedy = how_to_get_platform()
        return Check(name=name, ok=False, found="not installed", wanted=wanted, remedy=remedy)
    jars = Path(os.environ.get("SPARK_HOME") or Path(module.origin).parent) / "jars"
    names = [f"delta-spark_2.12-{delta}.jar", f"delta-storage-{delta}.jar"]
    missing = [jar for jar in names if not (jars / jar).is_file()]
    found = f"missing {', '.join(missing)}" if missing else "present"
    package = f"io.delta:delta-spark_2.12:{delta}"
    remedy = f"run `make setup` in a checkout, or give spark.conf.spark.jars.packages={package}"
    return Check(name=name, ok=not missing, found=found, wanted=f"those of {delta}", remedy=remedy)


def check_horovod(needed: bool) -> Check:
    """Check that Horovod loads with this torch and has Gloo."""
    release = installed("horovod")
    report = run([sys.executable, "-c", HOROVOD_PROBE]) if release else ""
    ok = "gloo True" in report
    problem = (report.strip().splitlines() or ["does not load"])[-1]
    found = "not installed" if release is None else f"{release}" if ok else f"{release}, {problem}"
    built = "" if runtime() else "run `make setup` in a checkout (needs g++ and CMake 3)"
    remedy = f"{built or how_to_get_platform()}, {WITHOUT_HOROVOD}"
    return Check(name="Horovod", ok=ok, found=found, wanted="0.28.1 with Gloo", remedy=remedy, needed=needed)


def check_launchers(torch: bool, horovod: bool) -> Check:
    """Say which launchers of the training work."""
    names = [*(["horovod"] if horovod else []), *(["torchrun", "single"] if torch else [])]
    found, remedy = ", ".join(names) or "none", how_to_get_platform()
    return Check(name="Launchers", ok=bool(names), found=found, wanted="at least one", remedy=remedy)


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
