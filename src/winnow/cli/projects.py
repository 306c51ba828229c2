"""Several projects below one folder, with one cache: made, and run one after another."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from winnow.cli.init import init, of_images, update
from winnow.comparison.project import Project
from winnow.errors import UserError
from winnow.params.download import REMOTE
from winnow.storage import atomic_file

NEXT = 1000  # what a repeat adds to the seeds of the one before
UNFINISHED = ".unfinished"


def planned(folder: str, recipes: Sequence[str], prefix: str, repeats: int) -> dict[Project, str]:
    """The recipe of every project: one of every setting first, which a single repeat can show already.

    Raises UserError if a setting is named twice, or if there is no repeat.
    """
    if repeats < 1:
        raise UserError(f"--repeats: {repeats}: must be a whole number above 0")
    settings = {recipe.removeprefix(prefix): recipe for recipe in recipes}
    if len(settings) < len(recipes):
        raise UserError("--recipes: names a setting twice")
    return {
        Project(setting, repeat, Path(folder) / f"{setting}-{repeat + 1}"): recipe
        for repeat in range(repeats)
        for setting, recipe in settings.items()
    }


def of_user(images: str | None, project: Project) -> dict[str, Any]:
    """The values of params.yaml that read the user's images in place of the recipe's source, if there are any."""
    return {"download": of_images(images, project.folder)} if images else {}


def later(seeds: list[int], project: Project) -> list[int]:
    """The seeds of a project's repeat, from those of the first."""
    return [seed + project.repeat * NEXT for seed in seeds]


def run_all(
    projects: Mapping[Project, str], texts: Mapping[Project, str], targets: Sequence[str], jobs: int | None
) -> None:
    """Make the projects, with these params, and bring the target stages of each up to date, one after another.

    What has run already is not run again. Raises UserError if a folder is no project, or if one does not finish.
    """
    for project, text in texts.items():
        _prepare(project, projects[project], text)
    repeats = 1 + max(project.repeat for project in projects)
    for project in projects:
        print(f"{project.folder}: {project.setting}, repeat {project.repeat + 1} of {repeats}", flush=True)
        run(project, "winnow.repro", *targets, *(["--jobs", str(jobs)] if jobs else []))


def keep_params(where: Path, texts: Mapping[Project, str], images: str | None) -> None:
    """Write the params.yaml of every setting beside the comparison, for others to read.

    images: the user's. Of a folder, only the name is written: where it lies concerns this machine alone.
    """
    folder = Path(images) if images and not images.startswith(REMOTE) else None
    for project, text in texts.items():
        if not project.repeat:
            shown = text.replace(str(folder.resolve()), folder.resolve().name) if folder else text
            (where / "params").mkdir(parents=True, exist_ok=True)
            with atomic_file(where / "params" / f"{project.setting}.yaml") as file:
                file.write_text(shown, encoding="utf-8")


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


def run(project: Project, module: str, *words: str) -> None:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "WINNOW_PARENT": str(os.getpid())}
    done = subprocess.run([sys.executable, "-m", module, *words], cwd=project.folder, check=False, env=environment)
    if done.returncode:
        raise UserError(f"{project.folder}: did not finish; the same command goes on from there")
