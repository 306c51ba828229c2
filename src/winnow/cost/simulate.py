"""When stages that share cores begin and end, if their work is known."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Task:
    """What a stage does: first one process alone, for so many seconds, then pieces of so many seconds, ``most`` of them
    side by side; as many as there are cores if it is None."""

    alone: float = 0.0
    pieces: Sequence[float] = ()
    most: int | None = None

    @property
    def seconds(self) -> float:
        """Of one core."""
        return self.alone + sum(self.pieces)


@dataclass
class _Running:
    left: list[float]  # pieces that no core has begun
    busy: list[float] = field(default_factory=list)  # when the cores that work for it are free
    begun: float = 0.0


def simulate(
    tasks: Mapping[str, Task],
    needs: Mapping[str, Collection[str]],
    cores: int,
    at_once: int,
    keeping: float = 0.0,
    running: Collection[str] = (),
) -> dict[str, tuple[float, float]]:
    """When each task begins and ends, in seconds from now, as ``repro.scheduler`` runs stages: those with the longest
    chain behind them first, at most ``at_once``, all on the same cores.

    needs: what must end before a task may begin; names that are no task have ended. A core that is free goes to the
    task that has the fewest, of several to the one that began first. keeping: seconds that the outputs of a task take
    to keep, without a core. running: tasks that have begun.
    """
    needed = {name: {one for one in needs.get(name, ()) if one in tasks} for name in tasks}
    order = sorted(tasks, key=_ways_ahead(needed).__getitem__, reverse=True)
    waiting = [*(name for name in order if name in running), *(name for name in order if name not in running)]
    at_work: dict[str, _Running] = {}
    spans: dict[str, tuple[float, float]] = {}
    kept: dict[str, float] = {}  # tasks whose outputs are being kept, and until when
    now = 0.0
    while waiting or at_work or kept:
        for name in [name for name, until in kept.items() if until <= now]:
            del kept[name]
        done = set(spans) - set(kept)
        for name in list(waiting):
            if len(at_work) + len(kept) < at_once and needed[name] <= done:
                waiting.remove(name)
                task = tasks[name]
                at_work[name] = _Running([task.alone, *task.pieces] if task.alone else list(task.pieces), begun=now)
        _give_cores(at_work, {name: tasks[name] for name in at_work}, now, cores)
        for name, one in list(at_work.items()):
            if not one.left and not one.busy:
                del at_work[name]
                spans[name] = (one.begun, now + keeping)
                kept[name] = now + keeping
        times = [*(until for one in at_work.values() for until in one.busy), *kept.values()]
        if not times:
            break  # what is left needs itself
        now = min(times)
        for one in at_work.values():
            one.busy = [until for until in one.busy if until > now]
    return spans


def _give_cores(at_work: Mapping[str, _Running], tasks: Mapping[str, Task], now: float, cores: int) -> None:
    """Let the free cores begin pieces. The first part of a task, which is done alone, comes before its others."""
    free = cores - sum(len(one.busy) for one in at_work.values())
    while free > 0:
        able = [one for name, one in at_work.items() if one.left and len(one.busy) < _most(one, tasks[name], cores)]
        if not able:
            return
        chosen = min(able, key=lambda one: (len(one.busy), one.begun))
        chosen.busy.append(now + chosen.left.pop(0))
        free -= 1


def _most(one: _Running, task: Task, cores: int) -> int:
    """How many cores may work for a task now."""
    only_alone = task.alone and len(one.left) >= len(task.pieces)
    return 1 if only_alone else task.most or cores


def _ways_ahead(needed: Mapping[str, Collection[str]]) -> dict[str, int]:
    """The length of the longest chain from each task to the last one."""
    length = dict.fromkeys(needed, 1)
    above = list(needed)
    for _ in above:  # names come in any order: as often as it takes
        changed = False
        for name in above:
            for before in needed[name]:
                if length[before] <= length[name]:
                    length[before], changed = length[name] + 1, True
        if not changed:
            break
    return length
