"""winnow compare-pruning: every level of some recipes at several densities, with its checks, and what comes out."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd
from ruamel.yaml import YAML

from winnow.cli.projects import keep_params, later, of_user, planned, run, run_all
from winnow.comparison.project import Project
from winnow.comparison.pruning.collect import OF_DENSE, collected
from winnow.comparison.pruning.levels import Measured, compared
from winnow.comparison.pruning.write import write
from winnow.errors import UserError
from winnow.params.dense import NAME as DENSE
from winnow.recipe import expanded, summary
from winnow.storage import load_table

RECIPES = ("pruning-convnet", "pruning-resnet")
PREFIX = "pruning-"  # of recipes, which names of settings leave out
REPEATS = 1  # a recipe has several replicates already
DENSITIES = (0.3, 0.1, 0.03)
TARGETS = ("dense", "prune")  # all levels, and nothing of the landscape around them
LATENCY, BEYOND = Path(".winnow/latency.csv"), Path(".winnow/beyond.csv")  # in a project


def compare_pruning(
    folder: str,
    recipes: Sequence[str] = RECIPES,
    images: str | None = None,
    densities: Sequence[float] = DENSITIES,
    repeats: int = REPEATS,
    jobs: int | None = None,
    out: str | None = None,
) -> str:
    """Make a project of every recipe and repeat below the folder, run them one after another, and write the comparison.

    Each level of a recipe is a method, and is run at every density with its checks (``comparison.pruning.levels``).
    What has run already is not run again, so a killed command goes on where it was, and a method that joins runs alone.
    images: a folder of the user's, in place of the recipes' source. out: where the comparison is written, or else
    comparison in the folder. Returns what to look at.

    Raises UserError if a recipe does not exist or breaks the schema, if one of its levels cannot be compared, or if a
    project does not finish.
    """
    wrong = [density for density in densities if not 0 < density < 1]
    if wrong or not densities or len(set(densities)) < len(densities):
        raise UserError(f"--densities: {_words(densities)}: must be different fractions between 0 and 1, such as 0.1")
    projects = planned(folder, recipes, PREFIX, repeats)
    plans = {project: _plan(project, recipe, images, sorted(densities)[::-1]) for project, recipe in projects.items()}
    _check_several([each for _, measured in plans.values() for each in measured if not each.check])
    texts = {project: text for project, (text, _) in plans.items()}
    run_all(projects, texts, TARGETS, jobs)
    where = Path(out) if out else Path(folder) / "comparison"
    keep_params(where, texts, images)
    results = pd.concat([collected([project], plans[project][1]) for project in projects], ignore_index=True)
    first = [project for project in projects if not project.repeat]
    latency = pd.concat([_latency(project, plans[project][1]) for project in first], ignore_index=True)
    beyond = pd.concat([_beyond(project, plans[project][1]) for project in projects], ignore_index=True)
    about = {project.setting: summary(recipe) for project, recipe in projects.items()}
    return f"{write(where, results, latency, beyond, about)} says which method to take, and which checks it passes"


def _check_several(tickets: Sequence[Measured]) -> None:
    methods: dict[float, set[str]] = {}
    for ticket in tickets:
        methods.setdefault(ticket.density, set()).add(ticket.method)
    if max(map(len, methods.values()), default=0) < 2:
        raise UserError("--recipes: must have two methods or more that can have the same density, to compare them")


def _words(densities: Sequence[float]) -> str:
    return " ".join(f"{density:g}" for density in densities) or "none"


def _plan(project: Project, recipe: str, images: str | None, densities: Sequence[float]) -> tuple[str, list[Measured]]:
    """The text of params.yaml, and what its levels are."""
    own = of_user(images, project)
    values = YAML(typ="safe").load(expanded(recipe, own))
    levels, measured = compared(values["pruning"]["levels"], densities)
    own |= {"pruning": {"levels": levels}, "dense": {"seeds": later(values["dense"]["seeds"], project)}}
    return expanded(recipe, own), measured


def _latency(project: Project, measured: Sequence[Measured]) -> pd.DataFrame:
    """What ``comparison.pruning.latency`` finds of the levels of whole channels, with setting, method and density."""
    levels = {each.level: each for each in measured if each.channels and not each.check}
    if not levels:
        return pd.DataFrame()
    run(project, "winnow.comparison.pruning.latency", str(LATENCY), *levels)
    return _named(load_table(project.folder / LATENCY), levels, project)


def _beyond(project: Project, measured: Sequence[Measured]) -> pd.DataFrame:
    """What ``comparison.pruning.beyond`` finds of all tickets, and of the dense networks, with setting, repeat, method
    and density."""
    levels = {each.level: each for each in measured if not each.check}
    run(project, "winnow.comparison.pruning.beyond", str(BEYOND), *levels)
    found = load_table(project.folder / BEYOND).assign(repeat=project.repeat)
    return _named(found, {**levels, DENSE: OF_DENSE}, project)


def _named(found: pd.DataFrame, levels: Mapping[str, Measured], project: Project) -> pd.DataFrame:
    return found.assign(
        setting=project.setting,
        method=[levels[name].method for name in found["level"]],
        density=[levels[name].density for name in found["level"]],
    )
