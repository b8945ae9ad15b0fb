"""Horovod really runs: two processes, Gloo, the torch of this environment."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

LIMIT_SECONDS = 300
# A rank that waits for ever says where before the limit ends the job.
PROGRAM = """
import faulthandler

faulthandler.dump_traceback_later(240)

import horovod.torch as hvd
import torch

print("loaded", flush=True)
hvd.init()
print("joined", flush=True)
mine = torch.arange(3, dtype=torch.float64) * (hvd.rank() + 1)
total = hvd.allreduce(mine, op=hvd.Sum)
print("rank", hvd.rank(), "of", hvd.size(), total.tolist(), flush=True)
"""


def run_on_two(program: Path, log: Path) -> int:
    """Run a program on two processes; past the limit end all of them and fail with what they said."""
    binaries = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = [str(binaries / "horovodrun"), "--verbose", "-np", "2", sys.executable, str(program)]
    with log.open("w") as output:
        job = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            return job.wait(timeout=LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(job.pid, signal.SIGKILL)
            job.wait()
            pytest.fail(f"no end after {LIMIT_SECONDS} s:\n{log.read_text()}")


@pytest.mark.horovod
@pytest.mark.skipif(find_spec("horovod") is None, reason="set up without Horovod (LAUNCHER)")
def test_two_processes_add_their_tensors(tmp_path: Path) -> None:
    program, log = tmp_path / "allreduce.py", tmp_path / "log"
    program.write_text(PROGRAM)
    status = run_on_two(program, log)
    said = log.read_text()
    assert status == 0, said
    for rank in (0, 1):
        assert f"rank {rank} of 2 [0.0, 3.0, 6.0]" in said
