"""winnow compare-methods: every selection method in several settings, each a project of its own, and what comes out."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from ruamel.yaml import YAML

from winnow.cli.init import init, of_images, update
from winnow.comparison.collect import Project, collected
from winnow.comparison.write import write
from winnow.errors import UserError
from winnow.recipe import expanded, summary
from winnow.storage import atomic_file, load_table

RECIPES = ("selection-clean", "selection-noisy", "selection-long-tailed", "selection-teacher")
PREFIX = "selection-"  # of recipes, which names of settings leave out
REPEATS = 2
NEXT = 1000  # what a repeat adds to the seeds of the one before
UNFINISHED = ".unfinished"
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
    if repeats < 1:
        raise UserError(f"--repeats: {repeats}: must be a whole number above 0")
    root = Path(folder)
    settings = {recipe.removeprefix(PREFIX): recipe for recipe in recipes}
    if len(settings) < len(recipes):
        raise UserError("--recipes: names a setting twice")
    texts = {  # all, so that a mistake in the last stops the command at once
        project: _params(project, settings[project.setting], images)
        for project in (
            Project(setting, repeat, root / f"{setting}-{repeat + 1}")
            for repeat in range(repeats)  # one of every setting first, which --repeats 1 can show already
            for setting in settings
        )
    }
    for project, text in texts.items():
        _prepare(project, settings[project.setting], text)
    for project in texts:
        print(f"{project.folder}: {project.setting}, repeat {project.repeat + 1} of {repeats}", flush=True)
        _run(project, "winnow.repro", TARGET, *(["--jobs", str(jobs)] if jobs else []))
    costs = []
    for project in texts:
        if not project.repeat:
            _run(project, "winnow.comparison.cost", str(COSTS))
            costs.append(load_table(project.folder / COSTS).assign(setting=project.setting))
    where = Path(out) if out else root / "comparison"
    for project, text in texts.items():
        if not project.repeat:
            (where / "params").mkdir(parents=True, exist_ok=True)
            with atomic_file(where / "params" / f"{project.setting}.yaml") as file:
                file.write_text(text, encoding="utf-8")
    about = {setting: summary(recipe) for setting, recipe in settings.items()}
    page = write(where, collected(texts), pd.concat(costs, ignore_index=True), about)
    return f"{page} says which method to take, and why"


def _params(project: Project, recipe: str, images: str | None) -> str:
    """The text of params.yaml: the recipe's, with seeds of its own for every repeat."""
    own: dict[str, Any] = {"download": of_images(Path(images), project.folder)} if images else {}
    if not project.repeat:
        return expanded(recipe, own)
    values, more = YAML(typ="safe").load(expanded(recipe, own)), project.repeat * NEXT

    def shifted(seeds: list[int]) -> list[int]:
        return [seed + more for seed in seeds]

    def of_map(items: dict[str, Any]) -> dict[str, Any]:
        return {
            name: {**item, "seeds": shifted(item["seeds"])} if isinstance(item, dict) else shifted(item)
            for name, item in items.items()
        }

    own |= {
        "early": {"cohorts": of_map(values["early"]["cohorts"])},
        "retrain": {"seeds": shifted(values["retrain"]["seeds"])},
        "select": {"seed": values["select"]["seed"] + more},
    }
    for section, key in (("transfer", "sources"), ("second_split", "cohorts"), ("pretrain", "cohorts")):
        if values[section][key]:
            own[section] = {key: of_map(values[section][key])}
    return expanded(recipe, own)


def _prepare(project: Project, recipe: str, text: str) -> None:
    """Make the project, unless it is there, and give it these params and this version's dvc.yaml.

    It is made beside its place, so that a killed command leaves no half project there.
    """
    if not project.folder.exists():
        new = project.folder.parent / UNFINISHED / project.folder.name
        shutil.rmtree(new, ignore_errors=True)
        init(str(new), recipe)
        cache = os.path.relpath(project.folder.parent / "cache", project.folder / ".dvc")
        with (new / ".dvc/config").open("a", encoding="utf-8") as file:
            file.write(f"[cache]\n    dir = {cache}\n")
        new.rename(project.folder)
        shutil.rmtree(new.parent)
    elif not (project.folder / "dvc.yaml").exists():
        raise UserError(f"{project.folder}: is no project of Winnow: name another folder, or remove it")
    update(str(project.folder))
    params = project.folder / "params.yaml"
    if params.read_text(encoding="utf-8") != text:
        with atomic_file(params) as new_file:
            new_file.write_text(text, encoding="utf-8")


def _run(project: Project, module: str, *words: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=project.folder, check=False,
                          env={**os.environ, "OMP_NUM_THREADS": "1"})  # fmt: skip
    if done.returncode:
        raise UserError(f"{project.folder}: did not finish; the same command goes on from there")
