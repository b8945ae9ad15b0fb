"""The layout that Horovod's build with NCCL finds CUDA in, and its compiler."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SETUP = Path(__file__).parents[1] / "conf" / "setup"
FILES = [
    *("cu13/bin/nvcc", "cu13/bin/ptxas", "cu13/include/cuda.h", "cu13/nvvm/bin/cicc"),
    *("cu13/lib/libcudart.so.13", "cu13/lib/libcudadevrt.a", "nccl/include/nccl.h", "nccl/lib/libnccl.so.2"),
]


def test_what_the_packages_have_is_laid_out_as_an_installed_cuda(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "path", [str(SETUP), *sys.path])
    import horovod_nccl

    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    for _ in range(2):  # also over what an earlier run has left
        home = horovod_nccl.cuda_home(tmp_path / "cuda", tmp_path)
    found = {
        *("bin/nvcc", "bin/ptxas", "include/cuda.h", "nvvm/bin/cicc", "lib64/libcudart.so"),
        *("lib64/libcudart.so.13", "lib64/libcudadevrt.a", "nccl/include/nccl.h", "nccl/lib/libnccl.so"),
    }
    assert all((home / name).is_file() for name in found)
    assert not (home / "bin").is_symlink()  # nvcc finds the rest from where its folder is
    assert horovod_nccl.settings(home)["HOROVOD_GPU_OPERATIONS"] == "NCCL"


@pytest.mark.parametrize(
    ("arguments", "asked"),
    [
        (["-c", "torch.cc"], "-c torch.cc -std=gnu++20"),
        (["-D__CUDACC__", "-E", "kernels.cu"], "-D__CUDACC__ -E kernels.cu"),
        (["-c", "kernels.cudafe1.cpp"], "-c kernels.cudafe1.cpp"),
    ],
)
def test_nvcc_s_own_passes_keep_their_standard(arguments: list[str], asked: str, tmp_path: Path) -> None:
    compiler = tmp_path / "compiler"
    compiler.write_text('#!/bin/sh\necho "$@"\n')
    compiler.chmod(0o755)
    done = subprocess.run(
        [SETUP / "cxx-gnu20-cuda", *arguments],
        env={"SEQUOIA_CXX": str(compiler), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == asked
