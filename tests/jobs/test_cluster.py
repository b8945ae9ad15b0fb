"""The README's cluster command on a standalone cluster, whose Python has every package but sequoia."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import time
import venv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyspark
import pytest

from sequoia.cli import cli
from sequoia.config import load_config
from sequoia.road.stage import Context
from sequoia.synthetic.corpus import write_corpus

ROOT = Path(__file__).parents[2]
SPARK = Path(pyspark.__file__).parent
OPTIONS = "--driver-memory 1g --conf spark.executor.memory=1g"
SMALL = [
    *(
        "synthetic.users=2000",
        "synthetic.themes=8",
        "synthetic.active_share=0.16",
        "spark.shuffle_partitions=2",
    ),
    *("training.models=[counting]", "training.validation_users=100", "evaluate.bootstrap_samples=100"),
    *("models.counting.window=[2]", "models.counting.last=[3]", "models.counting.decay=[0.7]"),
    *("negatives.candidates=20", "sequences.shards=8", "training.lanes=8", "recommend.sample_users=2"),
]
INGESTED = ("interactions", "items", "quarantine")
BUILT = (*INGESTED, "user_index", "item_index", "sequences", "negatives")


def readme_command() -> str:
    """Return the command of the README's section about clusters, as one line."""
    section = (
        (ROOT / "README.md").read_text(encoding="utf-8").partition("## On a cluster")[2].partition("\n## ")[0]
    )
    (block,) = re.findall(r"```\n(.*?)```", section, flags=re.S)[:1]
    (command,) = re.findall(r"^(?:\w+=\S+ )*spark-submit .*", block.replace("\\\n", " "), flags=re.M)
    return re.sub(r" +", " ", command)


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python with all packages but sequoia, whose editable install only its own Python reads."""
    home = tmp_path_factory.mktemp("python")
    venv.create(home, with_pip=False, symlinks=True)
    (site,) = home.glob("lib/python*/site-packages")
    (site / "packages.pth").write_text(sysconfig.get_path("purelib") + "\n")
    python = home / "bin" / "python"
    probe = (
        "import importlib.util as u; print([bool(u.find_spec(n)) for n in ('pyarrow', 'torch', 'sequoia')])"
    )
    done = subprocess.run([python, "-c", probe], capture_output=True, text=True, check=True, cwd=home)
    assert done.stdout.strip() == "[True, True, False]"
    return python


@pytest.fixture(scope="module")
def master(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A master and two workers of one core each, every one a process; yields the master's address."""
    folder = tmp_path_factory.mktemp("cluster")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"spark://127.0.0.1:{port}"
    deploy = "org.apache.spark.deploy"
    own = ["--host", "127.0.0.1", "--webui-port", "0"]
    commands = [[f"{deploy}.master.Master", *own, "--port", str(port)]]
    for number in range(2):
        work = str(folder / f"worker-{number}")
        commands.append([f"{deploy}.worker.Worker", *own, "-c", "1", "-m", "2g", "-d", work, address])
    log = folder / "log"
    environment = {**outside(), "SPARK_DAEMON_MEMORY": "256m"}
    with log.open("w") as output:
        processes = [
            subprocess.Popen(
                [SPARK / "bin" / "spark-class", *command], env=environment, stdout=output, stderr=output
            )
            for command in commands
        ]
        try:
            wait_for(lambda: log.read_text().count("Successfully registered with master") == 2, log)
            yield address
        finally:
            for process in reversed(processes):
                process.terminate()
            for process in processes:
                process.wait(timeout=60)


def outside() -> dict[str, str]:
    """Return an environment that leads nobody to this project's code."""
    hidden = ("PYTHONPATH", "PYSPARK_PYTHON", "VIRTUAL_ENV")
    kept = {key: value for key, value in os.environ.items() if key not in hidden}
    return {**kept, "SPARK_HOME": str(SPARK), "SPARK_LOCAL_IP": "127.0.0.1"}


def wait_for(happened: Callable[[], bool], log: Path) -> None:
    for _ in range(600):
        if happened():
            return
        time.sleep(0.1)
    raise TimeoutError(log.read_text())


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that the command runs in: jobs/ and what `make dist` makes."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / "jobs").mkdir()
    for job in (ROOT / "jobs").glob("*.py"):
        (folder / "jobs" / job.name).write_bytes(job.read_bytes())
    pack = f"import sys; sys.path.insert(0, {str(ROOT / 'conf' / 'setup')!r}); import code_zip, pathlib; "
    pack += f"code_zip.pack(pathlib.Path({str(folder / 'dist')!r}))"
    subprocess.run([sys.executable, "-I", "-c", pack], check=True)
    return folder


@pytest.fixture
def submit(clone: Path, master: str, bare_python: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return a function that runs the README's command, with another job and more settings if asked.

    spark-submit puts what the program says, errors too, into its standard output.
    """

    def run(places: dict[str, str], *settings: str, job: str = "ingest") -> subprocess.CompletedProcess[str]:
        command = readme_command().replace("jobs/ingest.py", f"jobs/{job}.py")
        # Delta's jars are beside Spark's here; nothing is fetched.
        command = re.sub(r"--packages \S+", OPTIONS, command)
        for name, value in {"<python>": str(bare_python), "spark://<master>:7077": master, **places}.items():
            assert name in command, f"{name} not in {command}"
            command = command.replace(name, value)
        assert "<" not in command, command
        line = " ".join([command, *(f"'{setting}'" for setting in settings)])
        path = f"{SPARK / 'bin'}{os.pathsep}{bare_python.parent}{os.pathsep}{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", line],
            env={**outside(), "PATH": path},
            cwd=clone,
            capture_output=True,
            text=True,
            timeout=1200,
        )

    return run


def contents(context: Context, tables: tuple[str, ...]) -> dict[str, list[Any]]:
    """Return the rows of tables, as text and in order."""
    return {table: sorted(map(str, context.tables.read(table).collect())) for table in tables}


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.slow
def test_the_readme_s_command_writes_the_tables_of_a_local_run_where_sequoia_is_not_installed(
    tmp_path: Path,
    submit: Callable[..., subprocess.CompletedProcess[str]],
    make_context: Callable[..., Context],
) -> None:
    raw, workspace, local = (tmp_path / name for name in ("raw", "cluster", "local"))
    write_corpus(raw, load_config(overrides=SMALL).synthetic)
    done = submit({"<workspace>": str(workspace), "<raw>": str(raw)}, *SMALL)
    assert done.returncode == 0, done.stdout[-5000:]
    cli.main(["ingest", f"ingest.raw={raw}", f"workspace={local}", *SMALL], standalone_mode=False)
    found = contents(make_context(f"workspace={workspace}"), INGESTED)
    assert found == contents(make_context(f"workspace={local}"), INGESTED)
    assert min(len(rows) for rows in found.values()) > 0


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.mlflow
@pytest.mark.slow
@pytest.mark.long
def test_the_whole_road_runs_where_sequoia_is_not_installed(
    tmp_path: Path,
    submit: Callable[..., subprocess.CompletedProcess[str]],
    make_context: Callable[..., Context],
) -> None:
    raw, workspace, local = (tmp_path / name for name in ("raw", "cluster", "local"))
    write_corpus(raw, load_config(overrides=SMALL).synthetic)
    places = {"<workspace>": str(workspace), "<raw>": str(raw)}
    for job in ("ingest", "run"):
        done = submit(places, *SMALL, job=job)
        assert done.returncode == 0, done.stdout[-5000:]
    assert "nothing changed in" in done.stdout  # the second command found what the first one wrote
    assert (workspace / "report.html").is_file()
    for stage in ("ingest", "index", "sequences", "negatives"):
        cli.main([stage, f"ingest.raw={raw}", f"workspace={local}", *SMALL], standalone_mode=False)
    found = contents(make_context(f"workspace={workspace}"), BUILT)
    assert found == contents(make_context(f"workspace={local}"), BUILT)


@pytest.mark.spark
@pytest.mark.delta
@pytest.mark.mlflow
@pytest.mark.slow
@pytest.mark.long
def test_the_cluster_s_own_tasks_train_what_processes_of_one_machine_do(
    tmp_path: Path, submit: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    raw, workspace = tmp_path / "raw", tmp_path / "cluster"
    write_corpus(raw, load_config(overrides=SMALL).synthetic)
    places = {"<workspace>": str(workspace), "<raw>": str(raw)}
    for job in ("ingest", "index", "sequences"):
        assert submit(places, *SMALL, job=job).returncode == 0
    neural = [one for one in SMALL if not one.startswith("training.models")]
    neural += ["training.models=[sasrec]", "training.epochs=2", "loss.logits_type=float32"]
    neural += ["training.processes=2", "training.threads=1", "training.timeout_seconds=60"]
    found = {}
    for launcher in ("horovod", "horovod-spark", "torch-distributor"):
        done = submit(places, *neural, f"training.launcher={launcher}", "training.resume=false", job="train")
        assert done.returncode == 0, done.stdout[-5000:]
        (folder,) = workspace.glob("models/sasrec-*")
        history = json.loads((folder / "model.json").read_text())["history"]
        found[launcher] = [note["loss"] for note in history]
    more = (*neural, "training.launcher=horovod-spark", "training.processes=3", "training.resume=false")
    done = submit(places, *more, job="train")
    assert done.returncode == 2
    assert (
        "processes = 3 is more than the tasks that Spark runs side by side here (2)"
        in done.stdout + done.stderr
    )
    assert len(found["horovod"]) == 2
    assert found["horovod-spark"] == pytest.approx(found["horovod"], abs=1e-4)
    assert found["torch-distributor"] == pytest.approx(found["horovod"], abs=1e-4)


@pytest.mark.spark
@pytest.mark.slow
def test_a_mistake_in_the_settings_is_one_sentence_there_too(
    tmp_path: Path, submit: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    places = {"<workspace>": str(tmp_path / "ws"), "<raw>": str(tmp_path / "nowhere")}
    done = submit(places)
    assert done.returncode == 2
    assert f"sequoia: ingest.raw = {tmp_path / 'nowhere'} does not exist" in done.stderr + done.stdout
    places["cluster.yaml"] = "nothing.yaml"
    done = submit(places)
    assert done.returncode == 2
    assert (
        "no configuration file nothing.yaml: name a YAML file, or one of base.yaml"
        in done.stderr + done.stdout
    )
