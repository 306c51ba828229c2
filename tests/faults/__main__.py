"""The command behind make faults: python -m tests.faults [--seed N] [--only KIND] [--number N]."""

import argparse
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import date
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from tests.faults.tried import Trial, Tried, table, totals, try_all

HEADING = "## A run"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="of all numbers of chance")
    parser.add_argument(
        "--only", choices=KINDS, action="append", help="this kind of faults; all but the long if left out"
    )
    parser.add_argument("--number", type=int, action="append", help="this trial of a kind; all if left out")
    parser.add_argument("--count", type=int, help="of trials of a kind; as many as in docs/faults.md if left out")
    parser.add_argument("--jobs", type=int, default=2, help="trials at once")
    parser.add_argument("--write", type=Path, metavar="FILE", help=f"put the table below {HEADING!r} in this page")
    options = parser.parse_args()
    begun, tried = time.monotonic(), []
    box = Path(tempfile.mkdtemp(prefix="winnow-faults-"))
    for kind in options.only or [kind for kind in KINDS if kind not in LONG]:
        (box / kind).mkdir()
        chosen = [
            trial
            for trial in KINDS[kind](box / kind, options.count)
            if not options.number or trial.number in options.number
        ]
        for one in try_all(chosen, options.seed, box / kind / "trials", options.jobs):
            tried.append(one)
            print(line(one), flush=True)
    about = f"Seed {options.seed}, {time.monotonic() - begun:.0f} s with {options.jobs} trials at once, {machine()}."
    found = "\n".join([about, "", *totals(tried), "", *table(tried), ""])
    print(f"\n{found}")
    if options.write:
        above, _, _ = options.write.read_text().partition(HEADING)
        options.write.write_text(f"{above}{HEADING}\n\n{found}")
    lost = [one for one in tried if not one.survived]
    for one in lost:
        again = f"python -m tests.faults --seed {options.seed} --only {one.trial.kind} --number {one.trial.number}"
        print(f"lost: {one.trial.what}: {again}; its folder is below {box}")
    return 1 if lost else 0


def machine() -> str:
    return f"{date.today()}, {os.cpu_count()} cores, {platform.system()} {platform.release()}, DVC {version('dvc')}"


def line(one: Tried) -> str:
    return f"{one.trial.kind} {one.trial.number}: {one.trial.what}: {one.happened}"


def _trials(
    module: str, function: str = "trials", on: str = "reference.Reference", **more: object
) -> Callable[[Path, int | None], Iterator[Trial]]:
    """The trials of a kind, once there is a project to try them on."""

    def begin(box: Path, count: int | None) -> Iterator[Trial]:
        place, name = on.split(".")
        reference = getattr(import_module(f"tests.faults.{place}"), name)(box)
        return getattr(import_module(f"tests.faults.{module}"), function)(reference, count, **more)

    return begin


KINDS = {
    "kill": _trials("kills"),
    "kill-tiny": _trials("tiny", on="tiny.Tiny"),
    "disk": _trials("disks"),
    "flip": _trials("flips"),
    "clock": _trials("others", "clock"),
    "together": _trials("others", "together"),
    "forbidden": _trials("others", "forbidden"),
    "flip-dvc": _trials("flips", program="dvc repro"),
    "cluster": _trials("clusters"),
    "cluster-default": _trials("clusters", "several", on="tiny.Default"),
}
LONG = ("cluster", "cluster-default")  # only if they are asked for

if __name__ == "__main__":
    sys.exit(main())
