"""Horovod really runs: two processes, Gloo, the torch of this environment."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

PROGRAM = """
import horovod.torch as hvd
import torch

hvd.init()
mine = torch.arange(3, dtype=torch.float64) * (hvd.rank() + 1)
total = hvd.allreduce(mine, op=hvd.Sum)
print("rank", hvd.rank(), "of", hvd.size(), total.tolist(), flush=True)
"""


@pytest.mark.horovod
@pytest.mark.skipif(
    find_spec("horovod") is None, reason="set up without Horovod (LAUNCHER=torchrun or single)"
)
def test_two_processes_add_their_tensors(tmp_path: Path) -> None:
    program = tmp_path / "allreduce.py"
    program.write_text(PROGRAM)
    binaries = Path(sys.executable).parent
    done = subprocess.run(
        [str(binaries / "horovodrun"), "-np", "2", sys.executable, str(program)],
        env={**os.environ, "PATH": f"{binaries}:{os.environ['PATH']}", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for rank in (0, 1):
        assert f"rank {rank} of 2 [0.0, 3.0, 6.0]" in done.stdout
