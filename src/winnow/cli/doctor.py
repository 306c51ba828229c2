"""winnow doctor: what this machine and this project are like, and what is wrong with them."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from winnow import cores
from winnow.cli.clean import at_work, leftovers
from winnow.errors import UserError
from winnow.repro.remote import Remote, default_remote

PACKAGES = ("winnow", "torch", "torchvision", "numpy", "dvc")
SCARCE = 5 * 2**30  # bytes free on the disk, below which a real experiment may not fit


def doctor(cache: bool = False) -> int:
    """Print what there is, then what is wrong with what to do about it. Returns 1 if something is. cache: read all of
    DVC's cache and all outputs too, for damaged ones."""
    for line in _found():
        print(line)
    remote = default_remote() if Path(".dvc").is_dir() and shutil.which("dvc") else None
    if remote and not remote.wrong:
        print(f"remote {remote.name}: {remote.answer}")
    wrong = [*_wrong(remote), *(_damaged() if cache else ())]
    for line in wrong:
        print(f"wrong: {line}")
    if not wrong:
        print("nothing is wrong")
    return 1 if wrong else 0


def _found() -> Iterator[str]:
    yield f"python {platform.python_version()} at {sys.executable}"
    for name in PACKAGES:
        try:
            yield f"{name} {version(name)}"
        except PackageNotFoundError:
            yield f"{name}: not installed"
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    yield f"{cores.available()} cores, {memory / 2**30:.0f} GiB of memory"
    yield f"device {_device()}"
    free, whole = shutil.disk_usage(".").free, shutil.disk_usage(".").total
    yield f"disk: {free / 2**30:.0f} of {whole / 2**30:.0f} GiB are free"
    if Path(".dvc").is_dir():
        from winnow.repro.sizes import cache_folder

        cache = cache_folder()
        yield f"cache: {cache}, {_size(cache) / 2**30:.1f} GiB"
        yield f"remote: {_remote()}"


def _device() -> str:
    import torch

    from winnow.training.device import chosen_device

    device = chosen_device()
    return f"cuda: {torch.cuda.get_device_name()}" if device.type == "cuda" else device.type


def _wrong(remote: Remote | None) -> Iterator[str]:
    if shutil.which("git") is None:
        yield "git is not installed, or not on the PATH"
    if shutil.which("dvc") is None:
        yield f"dvc is not on the PATH: activate the environment of {sys.executable}"
    if shutil.disk_usage(".").free < SCARCE:
        yield "the disk is nearly full: free some, or run dvc gc (docs/housekeeping.md)"
    if not Path("dvc.yaml").exists():
        yield "dvc.yaml: no such file: this is not the folder of a project (winnow init makes one)"
        return
    from winnow.cli.init import FILES

    if Path("dvc.yaml").read_bytes() != (FILES / "pipeline.yaml").read_bytes():
        yield "dvc.yaml is not that of this version of Winnow: winnow init --update . brings it, unless you changed it"
    try:
        from winnow.experiment import load_params

        load_params()
    except UserError as error:
        yield str(error)
    if remote and remote.wrong:
        yield f"remote {remote.name}: {remote.answer}"
    for what in leftovers() if at_work() is None else ():  # the files of a command at work are not leftovers
        yield f"{what.about} (winnow clean)"
    from winnow.repro.books import opened, unverified

    try:
        with opened() as repo:
            yield from unverified(repo)
    except UserError as error:  # dvc.yaml, or DVC's own configuration
        yield str(error)


def _damaged() -> Iterator[str]:
    from winnow.repro.books import damaged_outputs, locked, opened
    from winnow.repro.objects import damaged
    from winnow.repro.sizes import cache_folder

    for found in damaged(cache_folder()):
        yield f"{found} (winnow clean --cache)"
    with opened() as repo, locked(repo):
        for path in damaged_outputs(repo):
            what = "its bytes have changed, but not its size and time"
            yield f"{path}: damaged: {what} (remove it, and make repro puts it back)"


def _remote() -> str:
    found = subprocess.run(["dvc", "remote", "list"], capture_output=True, text=True, check=False)
    return "; ".join(" ".join(line.split()) for line in found.stdout.splitlines()) or "none"


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
