"""winnow cost: what make repro would run now in this project, and what it would take: time, memory, disk."""

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from winnow import cores
from winnow.cost.durations import duration
from winnow.cost.estimate import EARLIER, KEEPING, PROBE, USUAL, Estimate, Known, estimate, load_costs, save_costs
from winnow.cost.measured import likeness, load
from winnow.cost.probe import Cost, Probe, started
from winnow.cost.simulate import simulate
from winnow.cost.sizes import Sizes
from winnow.cost.work import Unit, experiment_of, work_of_all
from winnow.errors import UserError
from winnow.experiment import Params
from winnow.repro.books import locked, opened, plan
from winnow.repro.due import Due, due
from winnow.repro.to_go import are_measured, processes
from winnow.stages.check import found

MIB, GIB = 2**20, 2**30
HEAD = ("stage", "stages", "processor", "by the clock", "memory", "disk", "from")
SOURCES = {  # what the last column says, explained below the table
    EARLIER: "what such a stage took here before, with the same params and images",
    PROBE: "steps and passes by params.yaml, times what one takes here on random pixels",
    USUAL: "what it takes in the default experiment",
}


def cost(targets: Sequence[str], jobs: int | None) -> str:
    """The table for the project of the working directory.

    targets: stages, with all that they depend on; every stage if empty. jobs: stages at once; None: one more than there
    are cores. Trains a few steps in a process of its own, and runs no stage. Raises UserError for what a run would find
    wrong with params.yaml.
    """
    if not Path("dvc.yaml").exists():
        raise UserError("dvc.yaml: no such file: this is not the folder of a project (winnow init makes one)")
    if jobs is not None and jobs < 1:
        raise UserError(f"--jobs: {jobs}: must be a whole number above 0")
    params, texts = found()
    code = {f"data/code/{name}": text for name, text in texts.items()}
    with opened() as repo, locked(repo):
        steps = plan(repo, targets)
        now = due(repo, steps, code)
        needs = {stage.addressing: [one.addressing for one in above] for stage, above in steps.needs.items()}
        likes = {name: likeness(values, now.code[name]) for name, values in now.params.items()}
    names = [stage.addressing for stage in now.run]
    if not names:
        return _others(now, "Nothing runs") if now.cached else "Data and pipelines are up to date."
    known, libraries = _known(params, names, likes)
    room = Room(cores.available(), jobs or cores.available() + 1, libraries)
    return "\n".join([*table(names, needs, known, room), *filter(None, [_others(now)]), *_notes(names, known)])


@dataclass(frozen=True)
class Room:
    """What stages share: cores, how many stages there may be at once, and the bytes that the libraries take."""

    cores: int
    at_once: int
    libraries: int


def _known(params: Params, names: Sequence[str], likes: Mapping[str, str]) -> tuple[Known, int]:
    """What the estimates are made from, and the bytes of the libraries: starts the probe, and shows its progress."""
    with started() as probe:
        on_gpu = probe.device != "cpu"
        experiment = experiment_of(params, "download" not in names, on_gpu)
        work = work_of_all(experiment, are_measured(names))
        units = sorted({unit for name in names if name in work for unit in work[name].units}, key=str)
        costs = _probed(probe, units, experiment.sizes)
    save_costs({**load_costs(experiment.sizes), **costs}, experiment.sizes, on_gpu)
    found = Known(work, likes.get, experiment.sizes, costs, load(), on_gpu, processes(on_gpu))
    return found, probe.libraries


def _probed(probe: Probe, units: Sequence[Unit], sizes: Sizes) -> dict[Unit, Cost]:
    from tqdm import tqdm

    found = {}
    bar = tqdm(total=len(units), desc="measuring", unit="kind", disable=None, leave=False, file=sys.stderr)
    with bar:
        for unit, one in probe.measure(units, sizes.shape, sizes.classes):
            found[unit] = one
            bar.update(1)
    return found


def table(names: Sequence[str], needs: Mapping[str, Sequence[str]], known: Known, room: Room) -> list[str]:
    """The lines of the table: one for each kind of stage, in the order of the pipeline, and one for all."""
    of_kind: dict[str, list[str]] = {}
    for name in names:
        of_kind.setdefault(name.partition("@")[0], []).append(name)
    estimates = {name: estimate(name, known) for name in names}
    workers = 1 if known.on_gpu else room.cores
    rows = [
        _row(_title(kind, own), own, {name: estimates[name] for name in own}, needs, workers, room)
        for kind, own in of_kind.items()
    ]
    rows.append(_row("all", names, estimates, needs, workers, room))
    widths = [max(len(row[place]) for row in [HEAD, *rows]) for place in range(len(HEAD))]
    return [_line(row, widths) for row in [HEAD, *rows]]


def _title(kind: str, names: Sequence[str]) -> str:
    return f"{kind}@…" if len(names) > 1 else names[0]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:-1], strict=True))]
    return "  ".join([*cells, row[-1]]).rstrip()


def _row(
    title: str,
    names: Sequence[str],
    estimates: Mapping[str, Estimate | None],
    needs: Mapping[str, Sequence[str]],
    workers: int,
    room: Room,
) -> tuple[str, ...]:
    known = {name: one for name, one in estimates.items() if one is not None}
    tasks = {name: one.task for name, one in known.items()}
    spans = simulate(tasks, needs, workers, room.at_once, KEEPING)
    clock = max((end for _, end in spans.values()), default=0.0)
    sources = [source for source in (EARLIER, PROBE, USUAL) if any(one.source == source for one in known.values())]
    unknown = len(names) - len(known)
    more = [f"{unknown} not known"] if unknown else []
    memory = most_memory(spans, {name: one.memory or 0.0 for name, one in known.items()})
    disk = [one.disk for one in known.values() if one.disk is not None]
    return (
        title,
        str(len(names)),
        duration(sum(task.seconds for task in tasks.values())),
        duration(clock),
        size(memory + room.libraries) if memory else "",
        size(sum(disk)) if disk else "",
        ", ".join([*(sources if title != "all" else []), *more]),
    )


def most_memory(spans: Mapping[str, tuple[float, float]], memory: Mapping[str, float]) -> float:
    """The most that stages take which are at work at the same time."""
    return max(
        (
            sum(memory[other] for other, (from_, to) in spans.items() if from_ <= begun < to or other == name)
            for name, (begun, _) in spans.items()
        ),
        default=0.0,
    )


def size(count: float) -> str:
    """Bytes, such as 12 MiB or 1.4 GiB."""
    return f"{count / GIB:.1f} GiB" if count >= GIB else f"{max(1, round(count / MIB))} MiB"


def _others(now: Due, head: str = "Other stages") -> str:
    """How many stages do not run, in one line; "" if all do."""
    counts = ((len(now.cached), "come from the cache"), (len(now.same), "are up to date"))
    parts = [f"{count} {what}" for count, what in counts if count]
    return f"{head}: {', '.join(parts)}." if parts else ""


def _notes(names: Sequence[str], known: Known) -> list[str]:
    sources = {one.source for name in names if (one := estimate(name, known))}
    lines = [f"{source}: {what}." for source, what in SOURCES.items() if source in sources]
    free = shutil.disk_usage(".").free
    count = cores.available()
    where = "a GPU" if known.on_gpu else f"{count} core{'s' if count > 1 else ''}"
    about = "memory: with the libraries, which all processes share; of all: the most at any time."
    return [*lines, about, f"On {where}, if nothing else runs; {size(free)} of disk are free."]
