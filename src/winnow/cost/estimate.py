"""What every stage will take: what it took before, if nothing has changed that matters, or else its work times what a
unit of the work costs."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from winnow.cost.measured import Measured, last_times, same_sizes
from winnow.cost.probe import Cost
from winnow.cost.simulate import Task
from winnow.cost.sizes import Sizes
from winnow.cost.work import Unit, Work
from winnow.storage import atomic_file

PROBED = Path(".winnow/probe.json")  # what units cost when winnow cost was last called, for make repro's time to go
EARLIER, PROBE, USUAL = "earlier run", "probe", "usual"
# Seconds of a core for what no probe measures: a stage's start, and a file that it reads or writes; and, without a
# core, until its outputs are in the cache
START, FILE, KEEPING = 0.5, 0.01, 0.5
# Stages that train nothing: seconds in the default experiment, where none has run yet
LIGHT = {
    "download": 1.0, "labels": 0.2, "target_download": 1.0, "score": 4.0, "select": 1.5, "compare": 0.5,
    "figures": 7.0, "tickets": 1.5, "ticket_figures": 4.0, "claims": 0.5, "report": 4.0,
}  # fmt: skip
GRAPHS = 4 * 2**30  # bytes at most that a process keeps of the graphs of gradients (landscape.hessian)


@dataclass(frozen=True)
class Estimate:
    """Of one stage. task: its seconds of cores. memory: bytes that it takes beyond the libraries, None if not known.
    disk: bytes of its outputs, likewise. source: EARLIER, PROBE or USUAL."""

    task: Task
    memory: float | None
    disk: float | None
    source: str


@dataclass(frozen=True)
class Known:
    """What estimates are made from. work: of stages that compute with networks. likes: ``measured.likeness`` by stage.
    costs: of units. runs: ``measured.load``. on_gpu: whether they were made on one, where a stage's time is not that of
    processors. processes: of a stage at most, side by side; those of WINNOW_WORKERS, or as many as cores."""

    work: Mapping[str, Work]
    likes: Callable[[str], str | None]
    sizes: Sizes
    costs: Mapping[Unit, Cost]
    runs: Sequence[Measured]
    on_gpu: bool = False
    processes: int = 1


def estimate(stage: str, known: Known) -> Estimate | None:
    """What a stage will take; None if it is not known."""
    kind, work = stage.partition("@")[0], known.work.get(stage)
    memory, disk = (_memory(work, known), _disk(work, known)) if work else (None, None)
    run = _run_of(stage, known)
    if run is not None:
        return Estimate(_task(work, run.seconds if known.on_gpu else run.processor, known), memory, disk, EARLIER)
    if work is not None and not all(unit in known.costs for unit in work.units):
        seconds = _by_another(stage, known)
        return None if seconds is None else Estimate(_task(work, seconds, known), memory, disk, EARLIER)
    if work is not None:
        seconds = sum(count * known.costs[unit].seconds for unit, count in work.units.items())
        found = _task(work, seconds + FILE * work.files, known)
        return Estimate(replace(found, alone=START), memory, disk, PROBE)
    last = last_times().get(stage)
    if last is not None:
        return Estimate(Task(last[1]), None, None, EARLIER)
    return Estimate(Task(LIGHT[kind]), None, None, USUAL) if kind in LIGHT else None


def _run_of(stage: str, known: Known) -> Measured | None:
    """The last run with the same params and sizes: of the stage, or of another of its kind with the same work."""
    own = _last_run(stage, known)
    work = known.work.get(stage)
    if own is not None or work is None:
        return own
    others = (other for other in _of_kind(stage, known) if known.work[other] == work)
    runs = [run for other in others if known.likes(other) == known.likes(stage) and (run := _last_run(other, known))]
    return runs[-1] if runs else None


def _by_another(stage: str, known: Known) -> float | None:
    """Seconds of a stage whose units nobody has measured, from a run of another of its kind: by their steps, or by all
    of their units where they have none."""
    mine = _amount(known.work[stage])
    for other in _of_kind(stage, known):
        run, theirs = _last_run(other, known), _amount(known.work[other])
        if run is not None and mine and theirs:
            return (run.seconds if known.on_gpu else run.processor) * mine / theirs
    return None


def _last_run(stage: str, known: Known) -> Measured | None:
    """The last run of a stage with its params and sizes as they are now."""
    channels, height, width = known.sizes.shape
    runs = (one for one in known.runs if (one.stage, one.like) == (stage, known.likes(stage)))
    fitting = [one for one in runs if same_sizes(one, known.sizes.train, channels * height * width)]
    return fitting[-1] if fitting else None


def _of_kind(stage: str, known: Known) -> list[str]:
    """The other stages of the same kind that compute with networks."""
    kind = stage.partition("@")[0]
    return [other for other in known.work if other != stage and other.partition("@")[0] == kind]


def _amount(work: Work) -> float:
    steps = sum(count for unit, count in work.units.items() if unit.kind in ("step", "twins"))
    return steps or sum(work.units.values())


def _task(work: Work | None, seconds: float, known: Known) -> Task:
    if work is None or work.pieces == 1:
        return Task(seconds)
    return Task(0.0, [seconds / work.pieces] * work.pieces, known.processes)


def _memory(work: Work, known: Known) -> float | None:
    """Bytes beyond the libraries of all processes of a stage at once; None if a unit's cost is not known."""
    if not all(unit in known.costs for unit in work.units):
        return None
    of_units = [0.0]
    for unit in work.units:
        own = float(known.costs[unit].memory)
        of_units.append(max(own, min(own * work.graphs, GRAPHS)) if unit.kind == "product" else own)
    return min(known.processes, work.pieces) * (max(of_units) + work.memory)


def _disk(work: Work, known: Known) -> float | None:
    states = {unit.network: cost.state for unit, cost in known.costs.items()}
    if not all(network in states for network in work.states):
        return None
    return work.bytes + sum(states[network] * count for network, count in work.states.items())


def save_costs(costs: Mapping[Unit, Cost], sizes: Sizes, on_gpu: bool) -> None:
    """Keep what units cost, for ``load_costs`` of a data set of this shape."""
    rows = [{"unit": asdict(unit), "cost": asdict(cost)} for unit, cost in costs.items()]
    about = {"shape": list(sizes.shape), "classes": sizes.classes, "on_gpu": on_gpu, "costs": rows}
    PROBED.parent.mkdir(exist_ok=True)
    with atomic_file(PROBED) as path:
        path.write_text(json.dumps(about, indent=1), encoding="utf-8")


def load_costs(sizes: Sizes) -> dict[Unit, Cost]:
    """What units cost when they were last measured here; none if that was for other images, or never."""
    about = _saved()
    if (about.get("shape"), about.get("classes")) != (list(sizes.shape), sizes.classes):
        return {}
    try:
        return {Unit(**row["unit"]): Cost(**row["cost"]) for row in about["costs"]}
    except (KeyError, TypeError):  # of another version
        return {}


def was_on_gpu() -> bool:
    """Whether units were last measured on a GPU."""
    return bool(_saved().get("on_gpu"))


def _saved() -> dict[str, Any]:
    try:
        return dict(json.loads(PROBED.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return {}
