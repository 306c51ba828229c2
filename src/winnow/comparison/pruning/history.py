"""What the training behind a network took: its steps, and how many weights were there at a step on average. "The
journey matters" (Jin et al. 2025) finds that the loss of a pruned language model follows this average."""

from collections.abc import Iterator
from functools import cache, partial
from pathlib import Path
from statistics import fmean

import pandas as pd
from torch import nn

from winnow.datasets.images import load_facts
from winnow.experiment import load_params
from winnow.params.dense import NAME as DENSE
from winnow.params.pruning import NO_PARENT, Level, line
from winnow.pruning.during_level import During
from winnow.pruning.rule import Rule
from winnow.storage import load_table, load_tensor_provenance
from winnow.tickets.files import load_ticket, multiplications_left
from winnow.tickets.rewind import rewind_step
from winnow.tickets.rules import rule_of
from winnow.training.loop import Beginning, Run, start
from winnow.training.schedule import Schedule, make_schedule


def histories(project: Path) -> pd.DataFrame:
    """One row per network of a finished project's levels, and of dense: level, seed, steps (of all trainings behind it,
    from the initialisation on: of the dense network too, and of all levels it was pruned from), alive (the mean
    fraction of the prunable weights that are there, over these steps; NaN without steps) and cost (the sum instead of
    the mean, over that of a dense network's training). Scoring weights counts nothing.

    Raises UserError if a file is missing or damaged.
    """
    params = load_params(project / "params.yaml")
    levels, everything = params.pruning.levels, load_facts(project / "data/images")["images"]["train"]
    whole = make_schedule(params.dense.training, everything)
    tickets, rewinds = project / "data/tickets", project / "data/rewind"
    tables = {name: load_table(tickets / name / "results.csv").groupby("seed")["density"].first()
              for name in (DENSE, *levels)}  # fmt: skip
    rules = {name: rule_of(name, level, params.pruning.floor) for name, level in levels.items()}
    multiplied = cache(_multiplied)  # the same for every seed
    rows = []
    for seed in params.dense.seeds:
        weights = load_tensor_provenance(tickets / DENSE / f"seed{seed}/ticket.safetensors")["weights_left"]
        to_point = {
            name: rewind_step(rewinds / name / f"seed{seed}/network.safetensors")
            for name in (DENSE, *params.pruning.rewinds)
        }

        def counted(level: str, seed: int = seed, weights: int = weights) -> int:
            return weights if level == NO_PARENT else round(tables[level][seed] * weights)

        # what each training takes by itself: steps, and weights summed over them
        own = {DENSE: (whole.total - to_point[DENSE], weights * (whole.total - to_point[DENSE])), NO_PARENT: (0, 0)}
        for name, level in levels.items():
            schedule, first = rules[name].schedule(whole, to_point[level.rewind], partial(multiplied, tickets / name))
            left = list(_left(rules[name], schedule, first, counted(level.parent), counted(name)))
            own[name] = (len(left), sum(left))
        for name in (DENSE, *levels):
            way = line(levels, name)  # from dense or none to the level
            points = {levels[each].rewind for each in way[1:] if _from_point(levels[each])}
            points |= {DENSE} if DENSE in way else set()
            before = sum(to_point[point] for point in points)
            steps = before + sum(own[each][0] for each in way)
            alive = before * weights + sum(own[each][1] for each in way)
            fraction = alive / (steps * weights) if steps else float("nan")
            rows.append((name, seed, steps, fraction, alive / (whole.total * weights)))
    return pd.DataFrame(rows, columns=["level", "seed", "steps", "alive", "cost"])


def _multiplied(level: Path) -> float:
    """The fraction of the multiplications that a level's tickets keep, on average."""
    return fmean(multiplications_left(load_ticket(path)) for path in sorted(level.glob("seed*/ticket.safetensors")))


def _from_point(level: Level) -> bool:
    """Whether the weights of a level's rewind point are part of its history."""
    return level.choices.weights == "rewind" or level.parent == NO_PARENT


def _left(rule: Rule, schedule: Schedule, first: int, before: int, after: int) -> Iterator[int]:
    """How many weights are there at each step of a level's training, which begins at step ``first`` of the schedule.

    A way of pruning during the training says it itself: its hook runs on a network without weights.
    """
    left = before if rule.during and not rule.moves else after

    def prune(_run: Run, count: int, _scores: object = None) -> None:
        nonlocal left
        left = count

    changes = rule.during(During(first, schedule.total, left, after, prune)) if rule.during else None
    run = start(Beginning(nn.Module(), 0, changes=changes), Path(), first)
    for _ in range(first, schedule.total):
        yield left
        run.step += 1
        if changes:
            changes.after_step(run)
