"""winnow init: what it writes, where, and that the code of an installed Winnow counts as that of the repository."""

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from PIL import Image

from winnow.cli.init import init, update
from winnow.cli.main import main
from winnow.experiment import load_params
from winnow.params.base import read_yaml

ROOT = Path(__file__).parents[2]
WRITTEN = {
    ".dvc",
    ".dvcignore",
    ".git",
    ".gitattributes",
    ".gitignore",
    "None",
    "README.md",
    "dvc.yaml",
    "networks",
    "params.yaml",
}
UserErrors = Callable[..., AbstractContextManager[None]]


@pytest.fixture(autouse=True)
def empty_folder(outside: None) -> None:
    """Each test runs in an empty folder."""


def images(folder: str, sizes: dict[str, tuple[int, int]]) -> str:
    for part in ("train", "test"):
        for name, size in sizes.items():
            path = Path(folder, part, name, "1.png")
            path.parent.mkdir(parents=True)
            Image.new("L", size).save(path)
    return folder


def git(*words: str, where: str = ".") -> str:
    done = subprocess.run(["git", *words], cwd=where, capture_output=True, check=True, text=True)
    return done.stdout


def test_a_project_has_the_pipeline_of_this_repository_and_the_params_of_the_recipe() -> None:
    assert main(["init", "mine", "--recipe", "digits-full"]) == 0
    assert {path.name for path in Path("mine").iterdir()} == WRITTEN
    assert Path("mine/dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()
    assert load_params("mine/params.yaml").select.keep == [0.1, 0.3, 0.5, 0.7]
    assert Path("mine/README.md").read_text().startswith("# mine\n")
    ignored = git("check-ignore", "data/x", ".winnow/x", "report/x", ".venv/x", "networks/__pycache__/x", where="mine")
    assert len(ignored.splitlines()) == 5
    names = {path.name for path in Path("mine/networks").iterdir()}
    assert names == {"__init__.py", "example.py"}


def test_a_project_has_every_input_that_no_stage_makes() -> None:
    init("mine")
    entries = [entry.get("do", entry) for entry in read_yaml("mine/dvc.yaml")["stages"].values()]
    names = [name for entry in entries for kind in ("outs", "metrics") for name in entry.get(kind, [])]
    made = {name if isinstance(name, str) else next(iter(name)) for name in names}
    needed = {dep for entry in entries for dep in entry["deps"] if "${" not in dep}
    of_stages = {
        dep for dep in needed if any(out.startswith(f"{dep}/") or f"{dep}/".startswith(f"{out}/") for out in made)
    }
    assert {dep for dep in needed - of_stages if not Path("mine", dep).exists()} == set()


def test_a_folder_of_images_becomes_params(user_error: UserErrors) -> None:
    init("small", images=images("small-images", {"cat": (8, 9), "dog": (8, 9)}))
    download = read_yaml("small/params.yaml")["download"]
    assert (download["source"], download["size"]) == ("image_folder", None)
    assert download["path"] == str(Path("small-images").resolve())

    images("mixed/photos", {"cat": (8, 9), "dog": (9, 8)})  # inside the project: others find it there too
    init("mixed", images="mixed/photos")
    download = read_yaml("mixed/params.yaml")["download"]
    assert (download["path"], download["size"]) == ("photos", [64, 64])

    for file, source in (("train.parquet", "parquet"), ("train-00000.tar", "webdataset")):
        folder = Path(f"in-{source}")
        folder.mkdir()
        (folder / file).touch()
        init(f"of-{source}", images=str(folder), recipe="cifar10-laptop")
        download = read_yaml(f"of-{source}/params.yaml")["download"]
        assert (download["source"], download["path"]) == (source, str(folder.resolve()))


@pytest.mark.parametrize(
    ("folder", "recipe", "photos", "message"),
    [
        ("new", "digts-full", None, "digts-full: no such recipe; there are digits-full"),
        ("new", None, "nowhere", "--images nowhere: no such folder"),
        ("new", None, "half", "--images half: has no folder test"),
        ("file", None, None, "file: is a file"),
        ("old", None, None, "old/params.yaml: this is a project of DVC already"),
    ],
)
def test_a_mistake_is_told_in_one_line_and_leaves_no_project(
    folder: str, recipe: str | None, photos: str | None, message: str, user_error: UserErrors
) -> None:
    Path("half/train/cat").mkdir(parents=True)
    Path("file").touch()
    Path("old").mkdir()
    Path("old/params.yaml").write_text("mine: 1")
    before = sorted(Path().rglob("*"))
    with user_error(message):
        init(folder, recipe, photos)
    assert sorted(Path().rglob("*")) == before


def test_in_a_repository_with_other_work_that_work_stays() -> None:
    git("init", "--quiet", ".")
    Path(".gitignore").write_text("secret\n/data/\n")
    Path("README.md").write_text("# Ours\n")
    init("part")  # a project of its own below the repository
    assert "part/dvc.yaml" in git("status", "--short", "--untracked-files=all")
    assert not Path("part/.git").exists()
    init(".")
    assert Path("README.md").read_text() == "# Ours\n"
    assert Path(".gitignore").read_text().startswith("secret\n/data/\n/.venv*/\n")
    assert Path(".gitignore").read_text().count("/data/") == 1


def test_after_an_upgrade_the_pipeline_is_brought_up_to_date_and_nothing_else(user_error: UserErrors) -> None:
    init("mine")
    assert update("mine") == "mine/dvc.yaml is that of this version already"
    Path("mine/params.yaml").write_text("mine: 1")
    Path("mine/dvc.yaml").write_text("stages: {}\n")
    assert main(["init", "--update", "mine"]) == 0
    assert Path("mine/dvc.yaml").read_bytes() == (ROOT / "dvc.yaml").read_bytes()
    assert Path("mine/params.yaml").read_text() == "mine: 1"
    with user_error("other/dvc.yaml: no such file"):
        update("other")


def check(site: Path) -> dict[str, str]:
    """The lists of code that the stage check writes in the project mine, with the Winnow that lies in this folder."""
    command = [sys.executable, "-m", "winnow.stages.check"]
    subprocess.run(command, cwd="mine", env={**os.environ, "PYTHONPATH": str(site), "DVC_STAGE": "check"}, check=True)
    folder = Path("mine/data/code")
    return {path.relative_to(folder).as_posix(): path.read_text() for path in sorted(folder.rglob("*.txt"))}


def test_the_code_of_an_installed_winnow_is_listed_as_that_of_the_repository(tmp_path: Path) -> None:
    """What the wheel has, its methods and recipes among it; and a change there changes the lists that hold it alone."""
    source = tmp_path / "source"
    names = ["src", "dvc.yaml", "None", ".dvcignore", "networks", "pyproject.toml", "README.md"]
    listed = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", *names, where=str(ROOT))
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    build = ["pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", "wheels", str(source)]
    subprocess.run([sys.executable, "-m", *build], check=True)
    with zipfile.ZipFile(next(Path("wheels").glob("winnow-*.whl"))) as wheel:
        wheel.extractall("site")
    files = {path.relative_to("site").as_posix(): path for path in Path("site/winnow").rglob("*") if path.is_file()}
    ours = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src/winnow").rglob("*.py")}
    assert ours <= files.keys()
    assert files["winnow/project/pipeline.yaml"].read_bytes() == (ROOT / "dvc.yaml").read_bytes()
    assert {f"winnow/recipes/{path.name}" for path in (ROOT / "src/winnow/recipes").glob("*.yaml")} <= files.keys()

    init("mine")
    installed, here = check(Path("site").resolve()), check(ROOT / "src")
    assert installed == here
    lists = "\n".join(here.values())
    assert "  winnow/training/loop.py\n" in lists
    assert str(ROOT) not in lists
    with files["winnow/report/mosaic.py"].open("a") as file:
        file.write("_unused = 0\n")
    upgraded = check(Path("site").resolve())
    assert {name for name in upgraded if upgraded[name] != here[name]} == {"figures.txt"}
