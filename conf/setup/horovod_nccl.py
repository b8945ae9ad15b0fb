"""Put Horovod with NCCL in the place of the one that `make setup` installs: for machines with NVIDIA GPUs.

To build it takes neither a GPU nor an installed CUDA: the compiler comes as packages, NCCL's and CUDA's
headers and libraries are in what torch brings. The wheel is kept beside the others.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import horovod_wheel

# Of the CUDA that torch 2.13 was built with.
COMPILER = ("nvidia-cuda-nvcc==13.0.88", "nvidia-cuda-crt==13.0.88", "nvidia-nvvm==13.0.88")
PACKAGES = (*COMPILER, "nvidia-cuda-cccl==13.0.85")
WRAPPER = Path(__file__).resolve().parent / "cxx-gnu20-cuda"
GENERATIONS = "80,90"  # of GPUs: A100, H100 and H200


def linked(target: Path, sources: list[Path]) -> None:
    """Make a folder of links to files."""
    target.mkdir(parents=True)
    for source in sources:
        (target / source.name).symlink_to(source)


def cuda_home(home: Path, site: Path) -> Path:
    """Lay out what the packages have as an installed CUDA, and NCCL in it; site: the folder `nvidia`."""
    cuda, nccl = site / "cu13", site / "nccl"
    shutil.rmtree(home, ignore_errors=True)
    linked(home / "bin", [*(cuda / "bin").iterdir()])
    (home / "include").symlink_to(cuda / "include")
    (home / "nvvm").symlink_to(cuda / "nvvm")
    linked(home / "lib64", [*(cuda / "lib").glob("*.a"), cuda / "lib" / "libcudart.so.13"])
    (home / "lib64" / "libcudart.so").symlink_to(cuda / "lib" / "libcudart.so.13")
    linked(home / "nccl" / "lib", [nccl / "lib" / "libnccl.so.2"])
    (home / "nccl" / "lib" / "libnccl.so").symlink_to(nccl / "lib" / "libnccl.so.2")
    (home / "nccl" / "include").symlink_to(nccl / "include")
    return home


def settings(home: Path) -> dict[str, str]:
    """Return the variables that Horovod's build reads beside those of the build without CUDA."""
    return {
        "CXX": str(WRAPPER),
        "CUDA_HOME": str(home),
        "HOROVOD_CUDA_HOME": str(home),
        "HOROVOD_NCCL_HOME": str(home / "nccl"),
        "HOROVOD_NCCL_LINK": "SHARED",
        "HOROVOD_GPU": "CUDA",
        "HOROVOD_GPU_OPERATIONS": "NCCL",
        "HOROVOD_BUILD_CUDA_CC_LIST": GENERATIONS,
        "PATH": f"{home / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }


def main() -> None:
    """Build, unless the wheel is kept from before, and install it."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    site = Path(sysconfig.get_path("purelib")) / "nvidia"
    home = cuda_home(Path(sys.prefix) / "cuda", site)
    horovod_wheel.install(horovod_wheel.Variant(suffix="-nccl", settings=settings(home)))
    built = "import horovod.torch as hvd, sys; sys.exit(not (hvd.nccl_built() and hvd.gloo_built()))"
    subprocess.run([sys.executable, "-c", built], check=True)
    print("setup: Horovod with NCCL is installed")


if __name__ == "__main__":
    main()
