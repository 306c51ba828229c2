"""winnow compare-methods: every selection method in several settings, each a project of its own, and what comes out."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from winnow.cli.projects import keep_params, later, of_user, planned, run, run_all
from winnow.comparison.collect import collected
from winnow.comparison.project import Project
from winnow.comparison.write import write
from winnow.recipe import expanded, summary
from winnow.storage import load_table

RECIPES = ("selection-clean", "selection-noisy", "selection-long-tailed", "selection-teacher")
PREFIX = "selection-"  # of recipes, which names of settings leave out
REPEATS = 2
TARGET = "compare"  # the stage that has all retraining behind it, and no tickets
COSTS = Path(".winnow/costs.csv")  # in a project


def compare_methods(
    folder: str,
    recipes: Sequence[str] = RECIPES,
    images: str | None = None,
    repeats: int = REPEATS,
    jobs: int | None = None,
    out: str | None = None,
) -> str:
    """Make a project of every recipe and repeat below the folder, run them one after another, and write the comparison.

    Each has the recipe's params but for its seeds, and the same cache. What has run already is not run again, so a
    killed command goes on where it was, and a changed recipe runs what is new. images: a folder of the user's, in place
    of the recipes' source. out: where the comparison is written, or else comparison in the folder. Returns what to look
    at.

    Raises UserError if a recipe does not exist or breaks the schema, or if a project does not finish.
    """
    projects = planned(folder, recipes, PREFIX, repeats)
    # all, so that a mistake in the last stops the command at once
    texts = {project: _params(project, recipe, images) for project, recipe in projects.items()}
    run_all(projects, texts, [TARGET], jobs)
    costs = []
    for project in projects:
        if not project.repeat:
            run(project, "winnow.comparison.cost", str(COSTS))
            costs.append(load_table(project.folder / COSTS).assign(setting=project.setting))
    where = Path(out) if out else Path(folder) / "comparison"
    keep_params(where, texts, images)
    about = {project.setting: summary(recipe) for project, recipe in projects.items()}
    page = write(where, collected(projects), pd.concat(costs, ignore_index=True), about)
    return f"{page} says which method to take, and why"


def _params(project: Project, recipe: str, images: str | None) -> str:
    """The text of params.yaml: the recipe's, with seeds of its own for every repeat."""
    own = of_user(images, project)
    if not project.repeat:
        return expanded(recipe, own)
    values = YAML(typ="safe").load(expanded(recipe, own))
    shifted = partial(later, project=project)

    def of_map(items: dict[str, Any]) -> dict[str, Any]:
        return {
            name: {**item, "seeds": shifted(item["seeds"])} if isinstance(item, dict) else shifted(item)
            for name, item in items.items()
        }

    own |= {
        "early": {"cohorts": of_map(values["early"]["cohorts"])},
        "retrain": {"seeds": shifted(values["retrain"]["seeds"])},
        "dense": {"seeds": shifted(values["dense"]["seeds"])},
        "select": {"seed": shifted([values["select"]["seed"]])[0]},
    }
    for section, key in (("transfer", "sources"), ("second_split", "cohorts"), ("pretrain", "cohorts")):
        if values[section][key]:
            own[section] = {key: of_map(values[section][key])}
    return expanded(recipe, own)
