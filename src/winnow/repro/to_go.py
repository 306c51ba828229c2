"""How long a run still takes, while it runs: from what its stages took before and in this run, and from the progress of
those at work."""

import os
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from winnow import cores
from winnow.cost.estimate import KEEPING, PROBE, Known, estimate, load_costs, was_on_gpu
from winnow.cost.measured import Measured, add, last_times, likeness, load
from winnow.cost.simulate import Task, simulate
from winnow.cost.sizes import Sizes
from winnow.cost.work import experiment_of, work_of_all
from winnow.errors import UserError
from winnow.experiment import load_params
from winnow.params.base import read_yaml
from winnow.repro.books import CODE

PARAMS, LINES = "params.yaml", Path("data/landscape/lines/levels")
ENOUGH = 30.0  # seconds of a run, before its own pace counts
FEWEST = 0.05  # of a stage's progress, from which its time is told
PHASES = ("dense", "perturbation", "prune", "second_split", "spawn", "connectivity")  # kinds with several bars
NOTHING = Sizes(0, 0, 0, 0, (0, 0, 0))


@dataclass(frozen=True)
class Progress:
    """Of a stage at work. elapsed: seconds since it began. fraction: of the bar that it shows now; None without one.
    label: of the bar."""

    elapsed: float
    fraction: float | None = None
    label: str = ""


@dataclass(frozen=True)
class State:
    """Of a run. left: stages that wait and will run. running: those at work. done: seconds of cores that each ended one
    took in this run. elapsed: seconds since the first began."""

    left: Collection[str]
    running: Mapping[str, Progress]
    done: Mapping[str, float]
    elapsed: float


def known_of(stages: Sequence[Any], again: Collection[str] = ()) -> Known:
    """What the times of these stages of DVC can be told from. It reads params.yaml, the data set's sizes, and what was
    measured before; other projects than Winnow's have only the last. again: of the stages those that run."""
    values = read_yaml(PARAMS) if Path(PARAMS).exists() else {}
    likes = {stage.addressing: like(stage, values) for stage in stages}
    try:
        on_gpu = was_on_gpu()
        experiment = experiment_of(load_params(PARAMS), Path("data/images/dataset.json").exists(), on_gpu)
        work, sizes = work_of_all(experiment, are_measured(again)), experiment.sizes
    except (UserError, ImportError):  # of another project; or the stage that fails says why
        return Known({}, likes.get, NOTHING, {}, load())
    return Known(work, likes.get, sizes, load_costs(sizes), load(), on_gpu, processes(on_gpu))


def are_measured(again: Collection[str]) -> Callable[[str], bool]:
    """Whether the lines between two levels, LEVEL-LEVEL, are there and stay, if these stages run."""
    levels = {name.removeprefix("prune@") for name in again if name.startswith("prune@") or name == "dense"}
    return lambda pair: (LINES / pair).is_dir() and not levels.intersection(pair.split("-"))


def processes(on_gpu: bool) -> int:
    """How many a stage has side by side at most. Raises UserError if WINNOW_WORKERS is no such number."""
    text = os.environ.get("WINNOW_WORKERS")
    if text is not None and not (text.isdecimal() and int(text)):
        raise UserError(f"WINNOW_WORKERS={text}: must be a whole number above 0")
    return 1 if on_gpu else int(text or cores.available())


def like(stage: Any, values: Mapping[str, Any]) -> str:
    """``measured.likeness`` of a stage of DVC, with these values in params.yaml."""
    keys = [key for dep in stage.deps for key in getattr(dep, "params", [])]
    lists = [Path(dep.fs_path) for dep in stage.deps if Path(dep.fs_path).is_relative_to(Path(CODE).absolute())]
    texts = [path.read_text(encoding="utf-8") for path in lists if path.suffix == ".txt" and path.exists()]
    return likeness({key: _at(values, key) for key in keys}, "".join(texts))


def _at(values: Any, key: str) -> Any:
    for part in key.split("."):
        values = values.get(part) if isinstance(values, dict) else None
    return values


def note(stage: Any, known: Known, seconds: float, whole: bool) -> Measured:
    """What a stage took that has just ended, after so many seconds by the clock. Where it keeps no time of its
    processors itself, those by the clock stand for it. whole: whether it began from nothing: then the table of what was
    measured gets it."""
    name = stage.addressing
    own, processor = last_times().get(name, (seconds, seconds))
    channels, height, width = known.sizes.shape
    one = Measured(name, known.likes(name) or "", known.sizes.train, channels * height * width, own, processor)
    if whole:
        add(one)
    return one


def seconds_to_go(
    state: State, known: Known, needs: Mapping[str, Collection[str]], cores: int, at_once: int
) -> float | None:
    """Until the last stage ends; None if a stage's time is not known.

    What is left is put on the cores by ``simulate``; on a GPU there is one place to compute, whatever the cores. If the
    part of the run that is over took longer than that would have given it, because other programs use the cores too,
    what is left is taken to be as slow.
    """
    places = 1 if known.on_gpu else cores
    whole: dict[str, Task] = {}
    for name in [*state.running, *state.left]:
        found = estimate(name, known)
        if found is not None:
            factor = _pace(name, state.done, known) if found.source == PROBE else 1.0
            whole[name] = _scaled(found.task, factor)
    rest = {name: whole.get(name) for name in state.left}
    for name, progress in state.running.items():
        rest[name] = _rest(name, progress, whole.get(name), places / len(state.running))
    if any(task is None for task in rest.values()):
        return None
    left = {name: task for name, task in rest.items() if task is not None}
    ahead = _end(simulate(left, needs, places, at_once, KEEPING, state.running))
    if state.elapsed < ENOUGH:
        return ahead
    over = {name: _spread(name, seconds, known) for name, seconds in state.done.items()}
    if not over and not state.running:
        return ahead
    all_of_it = {**over, **{name: whole.get(name, left[name]) for name in left}}
    past = _end(simulate(all_of_it, needs, places, at_once, KEEPING)) - ahead
    return ahead * max(1.0, state.elapsed / past) if past > 0 else ahead


def _end(spans: Mapping[str, tuple[float, float]]) -> float:
    return max((end for _, end in spans.values()), default=0.0)


def _scaled(task: Task, factor: float) -> Task:
    return replace(task, alone=factor * task.alone, pieces=[factor * piece for piece in task.pieces])


def _spread(name: str, seconds: float, known: Known) -> Task:
    pieces = known.work[name].pieces if name in known.work else 1
    return Task(0.0, [seconds / pieces] * pieces, known.processes)


def _pace(name: str, done: Mapping[str, float], known: Known) -> float:
    """How many times as long as their work and the probe say stages took in this run: those of this kind, or all."""
    kind = name.partition("@")[0]
    guesses = replace(known, runs=())
    ratios: dict[bool, tuple[float, float]] = {True: (0.0, 0.0), False: (0.0, 0.0)}
    for other, seconds in done.items():
        guess = estimate(other, guesses)
        if guess is not None and guess.source == PROBE:
            same = other.partition("@")[0] == kind
            took, said = ratios[same]
            ratios[same] = took + seconds, said + guess.task.seconds
    (took, said), (others_took, others_said) = ratios[True], ratios[False]
    if said:
        return took / said
    return others_took / others_said if others_took > ENOUGH else 1.0


def _rest(name: str, progress: Progress, whole: Task | None, share: float) -> Task | None:
    """What is left of a stage at work. share: of the cores, for a stage whose whole time is not known."""
    of_all = not name.startswith(PHASES) or progress.label == name  # else it is a bar of one phase
    fraction = progress.fraction if of_all else None
    if whole is not None:
        return _scaled(whole, 1 - fraction) if fraction is not None else whole
    if fraction is None or fraction < FEWEST:
        return None
    seconds = progress.elapsed * (1 - fraction) / fraction
    return Task(0.0, [seconds] * int(share)) if share >= 1 else Task(share * seconds)
