"""winnow init: a project of one's own, in git and DVC."""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from winnow.errors import UserError
from winnow.params.download import REMOTE
from winnow.recipe import expanded

FILES = Path(__file__).parents[1] / "project"  # what a project begins with; Winnow's own repository has the same
PLAIN = {  # as dvc.yaml, DVC would find it below Winnow's own repository too
    "pipeline.yaml": "dvc.yaml",
    "None": "None",
    "gitignore": ".gitignore",
    "dvcignore": ".dvcignore",
    "gitattributes": ".gitattributes",
}
IMAGES, NO_IMAGES = "your-images", "default"  # the recipes, if none is named
LOOKED_AT = 200  # images, to see whether all have one size
OF_FILES = {".parquet": "parquet", ".tar": "webdataset"}  # sources whose folders hold files of many images
TABLES = "train and test .parquet or .tar"


def init(folder: str, recipe: str | None = None, images: str | None = None) -> str:
    """Write a project to the folder and, unless the folder lies in a git repository, make one of it. Returns what to
    do next.

    Raises UserError, and writes nothing, if there is a project already, the recipe does not exist, or the images do not
    lie as they must.
    """
    root = Path(folder)
    for name in ("dvc.yaml", "params.yaml", "dvc.lock", ".dvc"):
        if (root / name).exists():
            what = "winnow recipe writes other params, and winnow init --update the dvc.yaml of this version"
            raise UserError(f"{root / name}: this is a project of DVC already; {what}")
    if root.exists() and not root.is_dir():
        raise UserError(f"{root}: is a file; name a folder")
    _needed("git")
    given = {"download": of_images(images, root)} if images else None
    params = expanded(recipe or (IMAGES if images else NO_IMAGES), given)
    root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".winnow-init-", dir=root) as temporary:
        new = Path(temporary)
        for name, own in PLAIN.items():
            if not (root / own).exists():  # .gitignore, in a repository with other work in it
                shutil.copyfile(FILES / name, new / own)
        if not (root / "README.md").exists():
            (new / "README.md").write_text(_readme(root.resolve().name), encoding="utf-8")
        (new / "params.yaml").write_text(params, encoding="utf-8")
        if not (root / "networks").exists():
            (new / "networks").mkdir()
            for file in (FILES / "networks").glob("*.py"):
                shutil.copyfile(file, new / "networks" / file.name)
        for path in sorted(new.iterdir()):
            path.rename(root / path.name)
    for name in ("gitignore", "gitattributes"):
        _complete(root / f".{name}", FILES / name)
    _in_git_and_dvc(root)
    shutil.copytree(FILES / "plots", root / ".dvc/plots")  # the templates that dvc.yaml names
    return f"{root} is a project of Winnow now: its README.md says more. Next:\n  cd {root}\n  dvc repro"


def update(folder: str) -> str:
    """Replace dvc.yaml by that of this version of Winnow. Raises UserError if the folder is not a project."""
    root = Path(folder)
    own, new = root / "dvc.yaml", (FILES / "pipeline.yaml").read_text(encoding="utf-8")
    if not own.exists():
        raise UserError(f"{own}: no such file; winnow init {folder} begins a project")
    if own.read_text(encoding="utf-8") == new:
        return f"{own} is that of this version already"
    from winnow.storage import atomic_file

    with atomic_file(own) as file:
        file.write_text(new, encoding="utf-8")
    return f"{own} is that of this version now; git diff shows what has changed"


def of_images(given: str, root: Path) -> dict[str, Any]:
    """The values of the section download for a folder of images, in the project at root, or on object storage.

    Raises UserError if the folder does not hold what it must.
    """
    if given.startswith(REMOTE):
        return _of_store(given)
    images = Path(given)
    if not images.is_dir():
        raise UserError(f"--images {images}: no such folder; it must hold train/CLASS and test/CLASS, or {TABLES}")
    inside = images.resolve().is_relative_to(root.resolve())
    path = os.path.relpath(images.resolve(), root.resolve()) if inside else str(images.resolve())
    for suffix, source in OF_FILES.items():
        if (images / f"train{suffix}").exists() or any(images.glob(f"train-*{suffix}")):
            return {"source": source, "path": path}
    for part in ("train", "test"):
        if not (images / part).is_dir():
            raise UserError(
                f"--images {images}: has no folder {part}; it must hold train/CLASS and test/CLASS, or {TABLES}"
            )
    return {"source": "image_folder", "path": path} | ({"size": None} if _one_size(images / "train") else {})


def _of_store(images: str) -> dict[str, Any]:
    from winnow.datasets.remote import Remote

    folder = Remote(images.rstrip("/"))
    for suffix, source in OF_FILES.items():
        if (folder / f"train{suffix}").exists() or any(folder.glob(f"train-*{suffix}")):
            return {"source": source, "path": str(folder)}
    raise UserError(f"--images {folder}: on object storage there must be {TABLES}, such as {folder}/train-0.tar")


def _one_size(folder: Path) -> bool:
    """Whether the images have one size already, as some of them show."""
    from PIL import Image, UnidentifiedImageError

    files = sorted(path for path in folder.rglob("*") if path.is_file())
    sizes = set()
    for path in files[:: max(1, len(files) // LOOKED_AT)]:
        try:
            with Image.open(path) as image:
                sizes.add(image.size)
        except UnidentifiedImageError:  # not an image, or a damaged one, which the pipeline will name
            continue
    return len(sizes) == 1


def _needed(program: str) -> None:
    if shutil.which(program) is None:
        raise UserError(f"{program}: is not installed, or not on the PATH")


def _readme(name: str) -> str:
    return (FILES / "README.md").read_text(encoding="utf-8").replace("PROJECT", name)


def _complete(path: Path, own: Path) -> None:
    """Add to a file of git's what a project needs there, if a repository with other work has such a file already."""
    wanted = own.read_text(encoding="utf-8").splitlines()
    lines = path.read_text(encoding="utf-8").splitlines()
    if missing := [line for line in wanted if line not in lines]:
        path.write_text("\n".join([*lines, *missing, ""]), encoding="utf-8")


def _in_git_and_dvc(root: Path) -> None:
    """Make a git repository of the folder, unless it lies in one, and a project of DVC."""
    prefix = subprocess.run(
        ["git", "rev-parse", "--show-prefix"], cwd=root, capture_output=True, check=False, text=True
    )
    if prefix.returncode:
        subprocess.run(["git", "init", "--quiet"], cwd=root, check=True)
    below = ["--subdir"] if prefix.stdout.strip() else []
    made = subprocess.run(
        [sys.executable, "-m", "dvc", "init", "--quiet", *below], cwd=root, capture_output=True, check=False, text=True
    )
    if made.returncode:
        raise UserError(f"{root}: dvc init: {' '.join(made.stderr.split())}")
    (root / ".dvc/config").write_text("[core]\n    analytics = false\n", encoding="utf-8")
