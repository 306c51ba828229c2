"""A stage in several processes, one for each device that WINNOW_DEVICE names, all of which train each of its networks.

torch starts the processes and joins them; this module watches them, as ``workers`` watches networks side by side.
(``torch.multiprocessing`` would hand on an error as a pickle in the folder for temporary files, and so does torchrun.)
"""

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from functools import wraps
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from winnow.errors import UserError, describe
from winnow.orphans import end_with_parent
from winnow.ranks import RANK
from winnow.training.device import DEVICE, device_names
from winnow.training.workers import say, watch

if TYPE_CHECKING:  # one process needs none of it
    from winnow.training.shared import Share

Stage = Callable[..., None]
FOREVER = timedelta(days=365)  # the followers wait for all that the leader does alone; what fails ends them
SECONDS_FOR_CAUSES = 1.0
_place: "list[Share]" = []  # of this process, at most one


def share() -> "Share | None":
    """This process's place among those that train together; None if it trains alone."""
    return _place[0] if _place else None


def on_all_devices(stage: Stage) -> Stage:
    """The stage, whose networks train on all devices that WINNOW_DEVICE names: on several, each network on all of them,
    one network after another.

    Then the stage runs in a process for each device, and raises what the first that fails raises (a UserError as it
    is), or UserError if one is killed; the others are stopped.
    """

    @wraps(stage)
    def run(*items: str) -> None:
        devices = device_names()
        if len(devices) > 1:
            _together(stage, items, devices)
        else:
            stage(*items)

    return run


def _together(stage: Stage, items: tuple[str, ...], devices: Sequence[str]) -> None:
    from torch.multiprocessing import start_processes

    pipes = [Pipe(duplex=False) for _ in devices]
    with TemporaryDirectory(prefix="winnow-") as folder:
        given = (stage, items, devices, Path(folder) / "store", [send for _, send in pipes], os.getpid())
        # fork, not spawn: a stage's functions need no pickle, and torch no second import. Nothing has used a device yet
        started = start_processes(_take_part, given, len(devices), join=False, start_method="fork")
        watch(
            started.processes,
            [receive for receive, _ in pipes],
            "try again, with one device in WINNOW_DEVICE if need be",
        )


def _take_part(
    rank: int,
    stage: Stage,
    items: tuple[str, ...],
    devices: Sequence[str],
    store: Path,
    reports: Sequence[Connection],
    parent: int,
) -> None:
    import torch.distributed

    from winnow.training.shared import Ended

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the parent, which stops all
    end_with_parent(parent)
    os.environ |= {DEVICE: devices[rank], RANK: str(rank)}
    try:
        place = join(rank, devices, store)
        _place.append(place)
        with suppress(Ended):
            if not place.leads:
                place.follow()
            stage(*items)
            place.end()
        torch.distributed.destroy_process_group()
    except UserError as error:
        say(reports[rank], "user", str(error))
    except OSError as error:
        say(reports[rank], "user", describe(error))
    except Exception:
        # perhaps only because another process has failed: that one shall be told
        time.sleep(SECONDS_FOR_CAUSES)
        say(reports[rank], "error", traceback.format_exc())


def join(rank: int, devices: Sequence[str], store: Path) -> "Share":
    """Join the processes that train together, on this machine. store: a file for all of them, which is not there yet.

    Different CUDA devices talk by NCCL, all others by gloo, over the loopback interface only.
    """
    import torch.distributed as dist

    from winnow.training.shared import Share

    loopback = "lo0" if sys.platform == "darwin" else "lo"
    os.environ |= {"GLOO_SOCKET_IFNAME": loopback, "NCCL_SOCKET_IFNAME": loopback}
    found = dist.FileStore(str(store), len(devices))
    found.set_timeout(FOREVER)
    apart = len(set(devices)) == len(devices) and devices[0].startswith("cuda")
    dist.init_process_group(
        "nccl" if apart else "gloo", store=found, rank=rank, world_size=len(devices), timeout=FOREVER
    )
    return Share(rank, len(devices), dist.PrefixStore("winnow", found))
