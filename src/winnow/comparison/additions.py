"""The lines of params.yaml that a suggestion takes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from winnow.experiment import Params
from winnow.methods import has_mark
from winnow.params.base import validate
from winnow.params.named import load_named
from winnow.selection.advice import METHODS, RECIPES, VISITS, Suggestion, Way
from winnow.selection.choices import Choice, all_choices, choices, selected
from winnow.selection.choose import method
from winnow.selection.names import parse_name
from winnow.selection.recipes import by_recipe

PARAMS = Path("params.yaml")
Values = Mapping[str, Any]


def checked(values: Values) -> Params:
    """The values of a params.yaml, as the stage check reads them."""
    return validate(Params, values, PARAMS, named=load_named(values, PARAMS))


def put(values: Values, lines: Values) -> dict[str, Any]:
    """The values of params.yaml with these lines: a value for each key SECTION.KEY or SECTION.KEY.NAME."""
    found = {section: dict(own) if isinstance(own, dict) else own for section, own in values.items()}
    for line, value in lines.items():
        section, key, *name = line.split(".", 2)
        found[section][key] = {**found[section][key], name[0]: value} if name else value
    return found


def free_share(suggestion: Suggestion, params: Params) -> float | int:
    """The share suggested, or one a little smaller: select and sweep may not both have random at one share, so a new
    share of select is none of sweep's."""
    keep, select, sweep = suggestion.keep, params.select, params.sweep
    if f"{suggestion.way.name}-{keep}" in selected(sweep):
        return keep
    while keep not in select.keep and keep in sweep.keep and isinstance(keep, float):
        keep = round(keep - 0.01, 4)
    return keep


@dataclass(frozen=True)
class Addition:
    """name: of the method, as tables will have it. choice: what it means. lines: the values of params.yaml that it
    takes, by key, SECTION.KEY or SECTION.KEY.NAME; none if params.yaml has all of it."""

    name: str
    choice: Choice
    lines: dict[str, Any]


def addition(params: Params, suggestion: Suggestion, alone: bool = False) -> Addition:
    """What a suggestion adds to params.yaml. alone: no other method is suggested at its share."""
    way, keep, select, sweep = suggestion.way, suggestion.keep, params.select, params.sweep
    if way.key == VISITS:
        return _of_visits(params, way)
    found = _of_method(params, suggestion) if way.key == METHODS else _of_recipe(params, way)
    lines = dict(found.lines)
    if keep not in select.keep and f"{found.name}-{keep}" not in selected(sweep):
        in_select = found.name in select.methods
        if alone and not sweep.methods and way.key == METHODS and (in_select or not way.options):
            # not all of select at this share
            lines = {"sweep.methods": [found.name, "random"], "sweep.keep": [keep]}
        else:
            lines["select.keep"] = [*select.keep, keep]
    epoch = found.choice.options.get("epoch")
    if has_mark(method(found.choice.method), "NEEDS_FEATURES") and epoch not in params.early.features:
        lines["early.features"] = sorted({*params.early.features, epoch})
    return Addition(found.name, found.choice, lines)


def _of_method(params: Params, suggestion: Suggestion) -> Addition:
    way, select = suggestion.way, params.select
    options = dict(way.options)
    wanted = choices({way.name: options}, select.epoch)[way.name]
    there, swept = all_choices(select, params.sweep), selected(params.sweep)
    for name, choice in there.items():
        same = (choice.method, choice.options) == (wanted.method, wanted.options)
        if same and (name in select.methods or f"{name}-{suggestion.keep}" in swept):
            return Addition(name, wanted, {})
    name = way.name
    if name in there:  # with other options, or in sweep at other shares
        options = {"method": wanted.method} | (options or parse_name(name))
        name = _new(name, there)
    if isinstance(select.methods, dict):
        return Addition(name, wanted, {f"{METHODS}.{name}": options})
    if not options:
        return Addition(name, wanted, {METHODS: [*select.methods, name]})
    return Addition(name, wanted, {METHODS: {own: {} for own in select.methods} | {name: options}})


def _of_recipe(params: Params, way: Way) -> Addition:
    random, there = choices(["random"], params.select.epoch)["random"], params.retrain.recipes
    for name, recipe in there.items():
        if recipe.teacher:
            return Addition(by_recipe("random", name), random, {})
    name = _new(way.name, there)
    return Addition(by_recipe("random", name), random, {f"{RECIPES}.{name}": dict(way.options)})


def _of_visits(params: Params, way: Way) -> Addition:
    """A training that chooses as it goes; by no evidence, as random does."""
    random, there = choices(["random"], params.select.epoch)["random"], params.retrain.visits
    wanted = {"method": way.name, **way.options}
    for name, options in there.items():
        if {"method": name, **options} == wanted:
            return Addition(name, random, {})
    name = _new(way.name, there)
    return Addition(name, random, {f"{VISITS}.{name}": dict(way.options) if name == way.name else wanted})


def _new(name: str, there: Iterable[str]) -> str:
    """The name, or one with a number that is not there."""
    taken, number, new = set(there), 2, name
    while new in taken:
        new, number = f"{name}_{number}", number + 1
    return new
