"""winnow advice: which three methods are worth trying on the project in this folder, at which share, at what cost."""

import math
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from winnow.comparison.additions import PARAMS, Addition, Values, addition, checked, free_share, put
from winnow.comparison.estimate import Estimate, epochs_of, estimate, seconds_of_a_pass, shares_trained
from winnow.comparison.situation import situation
from winnow.errors import UserError
from winnow.experiment import Params, load_params
from winnow.page.words import some
from winnow.params.base import read_yaml
from winnow.params.select import sizes
from winnow.repro.times import TIMES, processor_seconds
from winnow.selection.advice import RECIPES, VISITS, Situation, Suggestion, advise, fraction, usable

WIDTH = 100  # columns
INDENT = 12


@dataclass(frozen=True)
class Advised:
    """A suggestion, what it adds to params.yaml, and its cost, if that can be known."""

    suggestion: Suggestion
    added: Addition
    cost: Estimate | None


def advice(keep: float | int | None = None, wrong: float | None = None) -> str:
    """What to try in the project of the working directory.

    keep: the share asked for, or a count of images, in place of those of select.keep. wrong: the fraction of the labels
    that the user expects to be wrong, where nothing has counted them. Raises UserError, which names the key, if
    params.yaml is missing or breaks the schema, or if there is nothing to choose.
    """
    if wrong is not None and not 0 <= wrong < 1:
        raise UserError(f"--wrong: {wrong:g}: must be a fraction of the labels, from 0 to below 1, such as 0.1")
    params, values = load_params(PARAMS), read_yaml(PARAMS)
    at = situation(params, wrong)
    keeps = _keeps(params, at, keep)
    found = advised(params, values, at, keeps)
    blocks = [_regime(at, keeps)]
    blocks += [_entry(number, one, params, at) for number, one in enumerate(found, 1)]
    return "\n\n".join([*blocks, _all(params, values, found, at)])


def share(text: str) -> float | int:
    """A fraction, or a count of images, as the user writes it. Raises UserError if it is neither."""
    try:
        keep = int(text) if text.isdecimal() else float(text)
        if keep > 0 and math.isfinite(keep):
            return sizes([keep])[0]
    except ValueError:
        pass
    raise UserError(f"--keep: {text}: must be a fraction between 0 and 1, or a whole number of images")


def _keeps(params: Params, at: Situation, keep: float | int | None) -> list[float | int]:
    """The shares to advise on. Raises UserError if there is none that leaves anything to choose."""
    asked = params.select.keep if keep is None else [keep]
    found = sorted((one for one in asked if usable(one, at)), key=lambda one: fraction(one, at.images))
    if not found:
        key = "--keep" if keep is not None else f"{PARAMS}: select.keep"
        room = f"{at.classes} (one image of every class)" if at.classes else "1"
        raise UserError(
            f"{key}: {some([f'{one:g}' for one in asked])}: leaves nothing to choose: keep from {room} to fewer than "
            f"all {at.images or ''} images".replace("  ", " ")
        )
    return found


def advised(params: Params, values: Values, at: Situation, keeps: list[float | int]) -> list[Advised]:
    """The suggestions for a project, what each adds to params.yaml, which has these values, and its cost."""
    found, times = [], _times()
    suggestions = [replace(one, keep=free_share(one, params)) for one in advise(at, keeps)]
    for one in suggestions:
        added = addition(params, one, _alone(one, suggestions))
        changed = checked(put(values, added.lines)) if added.lines else params
        share = fraction(one.keep, at.images)
        taught, visited = one.way.key == RECIPES, one.way.key == VISITS
        cost = estimate(changed, added.choice, share, at.images, times, taught, visited)
        found.append(Advised(one, added, cost))
    return found


def _alone(one: Suggestion, among: Sequence[Suggestion]) -> bool:
    return [other.keep for other in among].count(one.keep) == 1


def _times() -> dict[str, float]:
    return processor_seconds() if Path(TIMES).exists() else {}


def _regime(at: Situation, keeps: Sequence[float | int]) -> str:
    """The regime in one sentence."""
    images = f"{at.images:,} images to train on" if at.images else "images whose number is not known before download"
    of = f", {at.of_class:,.0f} of each of {at.classes} classes" if at.classes and at.images else ""
    labels = "labels taken to be right" if at.clean else f"{100 * at.wrong:.0f}% of the labels wrong"
    classes = f"the largest class {at.imbalance:.0f} times the smallest" if at.uneven else "classes of similar size"
    accuracy = "" if at.accuracy is None else f"{100 * at.accuracy:.1f}% right after training on all"
    few = f" ({fraction(keeps[0], at.images) * at.of_class:.0f} of a class and more)" if at.of_class else ""
    what = "; ".join(
        filter(
            None, [f"{images}{of}", labels, classes, accuracy, f"you keep {some([f'{one:g}' for one in keeps])}{few}"]
        )
    )
    return _wrapped("Your data:", f"{what}.")


def _entry(number: int, one: Advised, params: Params, at: Situation) -> str:
    """One of the methods: what it does, why, what to add, what it costs, what to compare it with."""
    rule, keep = one.suggestion.rule, one.suggestion.keep
    lines = [
        _wrapped(f"{number}.", f"{one.added.name} at {keep:g}: {rule.title}"),
        _wrapped("   why", f"{rule.why}."),
        *(_wrapped("   add" if not place else "", f"{key}: {flow(value)}")
          for place, (key, value) in enumerate(one.added.lines.items())),
    ]  # fmt: skip
    if not one.added.lines:
        lines.append(_wrapped("   add", "nothing: params.yaml has it"))
    return "\n".join([*lines, *_costs(one, params, at)])


def _costs(one: Advised, params: Params, at: Situation) -> Iterator[str]:
    budget = "as many steps" if params.retrain.budget == "steps" else "as many epochs"
    random = f"random at {one.suggestion.keep:g}, {budget}"
    if one.suggestion.way.key == VISITS:
        share = one.suggestion.way.options.get("keep", one.suggestion.keep)
        random = f"shorter at {share:g}, as many visits of all images (retrain.visits)"
    cost = one.cost
    if cost is None:
        yield _wrapped("   cost", "not known before download, as trainings are in steps")
        yield _wrapped("   against", random)
        return
    parts = []
    if cost.choosing:
        again = any(key.startswith("early.") for key in one.added.lines)
        paid = not again and all(Path(f"data/early/{name}").is_dir() for name in params.early.cohorts)
        forward = f" and {cost.scoring:.0f} without gradients" if cost.scoring else ""
        when = ", paid already" if paid else ""
        if again:
            whole = sum(len(cohort.seeds) for cohort in params.early.cohorts.values()) * params.early.epochs[-1]
            when = f", for which early trains all networks again, {whole} passes"
        parts.append(f"to choose, {cost.choosing:.0f} passes{forward}{_about(cost.choosing_seconds)}{when}")
    networks = len(params.retrain.seeds)
    teachers = f" and {cost.teaching:.0f} of teachers" if cost.teaching else ""
    parts.append(f"to train {networks} networks, {cost.training:.0f} passes{teachers}{_about(cost.training_seconds)}")
    yield _wrapped("   cost", "; ".join(parts))
    more = f"; for all of the cost, it could train {cost.longer:.2f} times as long" if cost.longer > 1 else ""
    yield _wrapped("   against", f"{random}{more}")


def _all(params: Params, values: Values, found: Sequence[Advised], at: Situation) -> str:
    """What all of it costs together, what it rests on, and what a pass is."""
    then, now = dict(values), params
    suggestions = [one.suggestion for one in found]
    for suggestion in suggestions:
        lines = addition(now, suggestion, _alone(suggestion, suggestions)).lines
        then = put(then, lines)
        now = checked(then) if lines else now
    epochs = epochs_of(params.retrain.training, at.images)
    before, after = (shares_trained(each, at.images) for each in (params, now))
    passes = ""
    if epochs is not None:
        whole = (sum(after) - sum(before)) * len(params.retrain.seeds) * epochs
        rate = seconds_of_a_pass(params, epochs, _times())[1]
        passes = f": {whole:,.0f} passes{_about(rate and rate * whole)}"
    evidence = dict.fromkeys(one.suggestion.rule.evidence for one in found)
    more = (
        f"{len(after) - len(before)} more trainings for each seed, as select takes every method at every share{passes}"
    )
    timed = any(one.cost and one.cost.training_seconds for one in found)
    about = "over all images, with gradients; one without counts a third"
    return "\n".join(
        [
            _wrapped("All three:", more),
            _wrapped("A pass is", f"{about}; seconds are of one core, by the last run" if timed else about),
            _wrapped("Rests on", f"{'; '.join(evidence)} (docs/selection.md)"),
            _wrapped("To measure", "winnow compare-methods runs all methods, on your images with --images"),
        ]
    )


def _about(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f" (about {seconds / size:.0f} {unit})"
    return f" (about {max(1, round(seconds))} s)"


def flow(value: Any) -> str:
    """A value in one line of YAML, whose texts are plain words."""
    if isinstance(value, dict):
        return f"{{{', '.join(f'{key}: {flow(own)}' for key, own in value.items())}}}"
    if isinstance(value, list):
        return f"[{', '.join(map(flow, value))}]"
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else "null" if value is None else str(value)


def _wrapped(head: str, text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent=f"{head:{INDENT}}", subsequent_indent=" " * INDENT,
                         break_on_hyphens=False)  # fmt: skip
