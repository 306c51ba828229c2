"""Every mistake a user can make ends in one line that names it, before anything is lost."""

import shutil
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.pipeline.clone import Clone, command, in_this_process, ran
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline


def assert_one_line(status: int, printed: str, *named: str) -> None:
    errors = [line for line in printed.splitlines() if line.startswith("error: ")]
    assert status != 0, printed
    assert len(errors) == 1, printed
    assert "Traceback" not in printed
    for name in named:
        assert name in errors[0]


def assert_refused(clone: Clone, stage: str, *named: str) -> None:
    """The stage's script ends in one line of error with these words, and leaves all files as they were."""
    before = clone.files("data")
    done = clone.stage(stage)
    assert_one_line(done.returncode, done.stdout, *named)
    assert clone.files("data") == before


@pytest.fixture
def assert_raises(
    monkeypatch: pytest.MonkeyPatch, user_error: Callable[..., AbstractContextManager[None]]
) -> Callable[..., None]:
    """``assert_refused`` without a process of its own, of a mistake that raises UserError, which every stage tells in
    the same way. Settings of the environment are given by name."""

    def check(clone: Clone, stage: str, *named: str, **environment: str) -> None:
        before = clone.files("data")
        work = in_this_process(clone, stage, monkeypatch)
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        with user_error(*named):
            work()
        assert clone.files("data") == before

    return check


def test_a_mistake_in_any_section_is_told_before_anything_runs(clone: Clone) -> None:
    before = clone.files("data", "plots", "metrics")
    before = {path: content for path, content in before.items() if not path.startswith("data/code/")}  # check's own
    clone.set("figures.fontsize", 9)  # of the last stage
    clone.set("download.first", 200)  # would run all of them
    done = clone.run("dvc", "repro")
    assert_one_line(done.returncode, done.stdout, "params.yaml", "figures.fontsize", "font_size")
    assert ran(done.stdout) == []
    assert clone.files(*before) == before
    # and once it is mended, all is there again
    clone.do("git", "checkout", "params.yaml")
    assert clone.repro() == []


def test_a_stage_that_fails_loses_nothing(clone: Clone, tmp_path: Path) -> None:
    """DVC removes a stage's outputs before it starts the stage; they are in its cache still."""
    before = clone.files("data", "plots", "metrics")
    clone.set("download.source", "parquet")
    (tmp_path / "empty").mkdir()
    clone.set("download.path", str(tmp_path / "empty"))
    done = clone.run("dvc", "repro")
    assert_one_line(done.returncode, done.stdout, "download.path", str(tmp_path / "empty/train.parquet"))
    assert ran(done.stdout) == ["download"]
    clone.do("git", "checkout", "params.yaml")
    assert clone.repro() == []
    assert clone.files("data", "plots", "metrics") == before


@pytest.mark.parametrize(
    ("key", "value", "named"),
    [
        ("download.sorce", "digits", "source"),
        ("download.source", "imagenet", "cifar10"),
        ("download.first", 0, "at least 1"),
        ("download.path", "photos", "set it to null"),
        ("labels.file", "nowhere.csv", "no such file"),
        ("networks.small.name", "resnet9", "resnet8"),
        ("early.network", "large", "networks, which are lenet, small"),
        ("early.cohorts", {}, "cohort"),
        ("early.cohorts", {"a": []}, "at least one"),
        ("early.cohorts", {"a": [0, 1], "b": [1]}, "seed 1 is in cohorts a and b"),
        ("early.epochs", [0, 7], "early.training.length"),
        ("trainings.six.length", "6", "epochs"),
        ("trainings.six.learning_rate", "fast", "a number"),
        ("score.scores", ["el2n", "elan"], "'elan'"),
        ("score.gradients", ["grands"], "'grands'"),
        ("aggregate.suspects_epoch", 5, "early.epochs"),
        ("select.methods", ["el3n", "random"], "'el3n'"),
        ("select.methods", ["el2n-epoch5", "random"], "early.epochs"),
        ("select.methods", ["el2n"], "random"),
        ("select.keep", [1.3], "1.3"),
        ("select.keep", [], "at least one"),
        ("select.epoch", 5, "early.epochs"),
        ("retrain.seeds", [2], "early.cohorts"),
        ("retrain.budget", "hours", "'steps' or 'epochs'"),
        ("dense.seeds", [], "pruning.levels"),
        ("pruning.levels.l2.parent", "l3", "there are dense, l1"),
        ("pruning.levels.l2.prune", 1.3, "below 1"),
        ("pruning.levels.o2.data", "select/random-0.4", "select/random-0.5"),
        ("pruning.levels.o2.data", "random-0.5", "write select/random-0.5"),
        ("curvature.levels", ["l3"], "there are dense, l1, l2, o2"),
        ("perturbation.runs.p.child", "o3", "there are l1, o2"),
        ("figures.dpi", 7, "at least 50"),
    ],
)
def test_check_names_the_key_and_what_would_be_right(
    key: str, value: Any, named: str, new: Clone, tmp_path: Path, assert_raises: Callable[..., None]
) -> None:
    shutil.copy2(new.path("params.yaml"), tmp_path)  # all that check reads
    clone = Clone(tmp_path, new.outside)
    clone.set(key, value)
    assert_raises(clone, "check", "params.yaml", key, named)


@pytest.mark.parametrize(
    ("key", "line"),
    [
        ("early.cohorts", "  cohorts:"),
        ("score.scores", "  scores:"),
        ("select.keep", "  keep:"),
        ("pruning.rewinds", "  rewinds:"),
    ],
)
def test_dvc_itself_names_a_missing_key_that_makes_stages(key: str, line: str, new: Clone, tmp_path: Path) -> None:
    clone = new.copy(tmp_path / "clone")
    text = clone.path("params.yaml").read_text()
    clone.path("params.yaml").write_text(text.replace(line, f"{line[:-1]}_:"))
    done = clone.run("dvc", "repro")
    assert done.returncode != 0
    assert key in done.stdout
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("line", "other", "named"),
    [
        ("  cohorts:", "  cohort:", "early.cohort: no such key; did you mean cohorts?"),
        ("pruning:", "imp:", "imp: is called pruning now"),  # of an earlier version
    ],
)
def test_make_repro_says_what_is_wrong_with_a_key_that_makes_stages(
    line: str, other: str, named: str, new: Clone, tmp_path: Path
) -> None:
    """DVC itself says only which key it could not find."""
    clone = new.copy(tmp_path / "clone")
    text = clone.path("params.yaml").read_text()
    assert text.count(f"{line}\n") == 1
    clone.path("params.yaml").write_text(text.replace(f"{line}\n", f"{other}\n"))
    done = clone.run("python", "-m", "winnow.repro")
    assert_one_line(done.returncode, done.stdout, "params.yaml", named)


def test_make_repro_says_how_networks_are_given_now(new: Clone, tmp_path: Path) -> None:
    """DVC itself says only that it cannot interpolate a map."""
    clone = new.copy(tmp_path / "clone")
    clone.set("early.network", {"name": "convnet", "width": 4})
    done = clone.run("python", "-m", "winnow.repro")
    assert_one_line(done.returncode, done.stdout, "params.yaml: early.network: must be a name now: write networks: {")


@pytest.mark.parametrize(
    "text",
    [
        "download: {source: digits}\ndownload: {source: mnist}\n",
        "download: {source: digits\n",
        "download: digits\n\tearly: 1\n",
    ],
    ids=["key twice", "bracket open", "tab"],
)
def test_params_that_are_not_yaml(text: str, new: Clone, tmp_path: Path, assert_raises: Callable[..., None]) -> None:
    clone = new.copy(tmp_path / "clone")
    clone.path("params.yaml").write_text(text)
    done = clone.run("dvc", "repro")
    assert done.returncode != 0
    assert "params.yaml" in done.stdout
    assert "Traceback" not in done.stdout
    assert_raises(clone, "check", "params.yaml line")


def picture(file: Path, size: tuple[int, int] = (8, 8), shade: int = 0) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full(size, shade, np.uint8)).save(file)
    return file


@pytest.fixture
def folder(clone: Clone, tmp_path: Path) -> Path:
    """An image folder of two classes, to which download.path points."""
    shades = count()
    for part in ("train", "test"):
        for name in ("cat", "dog"):
            for number in range(3):
                picture(tmp_path / "pictures" / part / name / f"{number}.png", shade=next(shades))
    source(clone, "image_folder", tmp_path / "pictures")
    return tmp_path / "pictures"


def source(clone: Clone, name: str, path: Path) -> None:
    for key, value in {"source": name, "path": str(path), "first": None, "first_test": None, "validation": 0.0}.items():
        clone.set(f"download.{key}", value)


def test_the_image_folder_of_these_tests_is_a_good_one(clone: Clone, folder: Path) -> None:
    done = clone.stage("download")
    assert (done.returncode, done.stdout) == (0, "image_folder: 6 train, 0 validation, 6 test images of 2 classes\n")


def test_a_folder_that_is_not_there(clone: Clone, folder: Path) -> None:
    clone.set("download.path", str(folder / "elsewhere"))
    assert_refused(clone, "download", "download.path", str(folder / "elsewhere"))


def test_a_damaged_image(clone: Clone, folder: Path) -> None:
    damaged = folder / "train/dog/1.png"
    damaged.write_bytes(damaged.read_bytes()[:50])
    assert_refused(clone, "download", str(damaged))


def test_a_class_without_an_image(clone: Clone, folder: Path, assert_raises: Callable[..., None]) -> None:
    for file in (folder / "train/cat").glob("*"):
        file.unlink()
    assert_raises(clone, "download", str(folder / "train/cat"), "no image")


def test_images_that_differ_in_size(clone: Clone, folder: Path, assert_raises: Callable[..., None]) -> None:
    other = picture(folder / "train/dog/2.png", (8, 9))
    assert_raises(clone, "download", "download.size", str(other), "8x9")


def test_a_table_without_the_columns(clone: Clone, folder: Path, assert_raises: Callable[..., None]) -> None:
    for part in ("train", "test"):
        pq.write_table(pa.table({"picture": [b""], "label": [0]}), folder / f"{part}.parquet")
    source(clone, "parquet", folder)
    assert_raises(clone, "download", str(folder / "train.parquet"), "picture", "image (or img")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("id,label\ndigits/9999,3\n", ["line 2: no training image has the id 'digits/9999'", "digits/00"]),
        ("id,label\nIMAGE,three\n", ["line 2: there is no class 'three'", "0, 1, 2"]),
        ("id,label\nIMAGE,3\nIMAGE,4\n", ["line 3: 'IMAGE'", "'3' on line 2, and '4' here"]),
        ("id;label\nIMAGE;3\n", ["must have one column 'id'", "id;label"]),
    ],
)
def test_labels_that_are_wrong(
    text: str, named: list[str], clone: Clone, tmp_path: Path, assert_raises: Callable[..., None]
) -> None:
    image = load_table(clone.path("data/labels.parquet"))["id"][0]
    path = tmp_path / "labels.csv"
    path.write_text(text.replace("IMAGE", image))
    clone.set("labels.file", str(path))
    clone.set("download.first", None)
    assert_raises(clone, "labels", f"labels.file: {path} ", *(words.replace("IMAGE", image) for words in named))


def test_more_images_in_a_batch_than_there_are(clone: Clone, assert_raises: Callable[..., None]) -> None:
    clone.set("trainings.six.batch_size", 300)
    assert_raises(clone, "early@a", "trainings.six.batch_size", "300", "269")


def test_more_images_in_a_batch_than_in_a_subset(clone: Clone, assert_raises: Callable[..., None]) -> None:
    clone.set("trainings.four.batch_size", 200)
    assert_raises(clone, "retrain@el2n-0.5", "trainings.four.batch_size", "200", "134")


def test_a_class_without_images_in_a_subset_is_told_and_no_mistake(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It may be what shows that a score is no good."""
    clone.set("select.keep", [0.5, 0.05])
    in_this_process(clone, "select", monkeypatch)()
    assert "select.keep: 0.05 with el2n keeps no image of '" in capsys.readouterr().out
    assert clone.path("data/select/el2n-0.05.parquet").exists()


def test_a_window_without_room(clone: Clone, assert_raises: Callable[..., None]) -> None:
    clone.set("select.methods", ["random", "el2n-window0.7"])
    assert_raises(clone, "select", "select.methods", "0.7", "0.5")


def test_more_images_to_keep_than_there_are(clone: Clone, assert_raises: Callable[..., None]) -> None:
    clone.set("select.keep", [270])
    assert_raises(clone, "select", "select.keep", "270", "269")


def test_a_rewind_point_after_the_end_of_training(clone: Clone, assert_raises: Callable[..., None]) -> None:
    clone.set("dense.rewind", "5 epochs")
    assert_raises(clone, "dense", "dense.rewind", "40 steps")
    clone.set("pruning.rewinds.early.length", "33 steps")  # 4 epochs are 32
    assert_raises(clone, "rewind@early", "pruning.rewinds.early.length", "33 steps")


def test_a_floor_that_leaves_more_weights_than_the_cut(clone: Clone, assert_raises: Callable[..., None]) -> None:
    clone.set("pruning.floor", 100_000)
    assert_raises(clone, "prune@l1", "pruning.floor", "100000")


def test_a_setting_of_the_environment_that_cannot_be(clone: Clone, assert_raises: Callable[..., None]) -> None:
    assert_raises(clone, "early@a", "WINNOW_WORKERS=many", WINNOW_WORKERS="many")


def test_an_input_that_is_damaged(clone: Clone) -> None:
    damaged = clone.path("data/early/a/seed1/epoch2.safetensors")
    damaged.chmod(0o644)
    damaged.write_bytes(damaged.read_bytes()[:-1])
    assert_refused(clone, "score", "data/early/a/seed1/epoch2.safetensors")


def test_a_stage_started_by_hand(clone: Clone) -> None:
    done = clone.run(*command("download"))
    assert_one_line(done.returncode, done.stdout, "DVC_STAGE", "dvc repro")


@pytest.mark.parametrize(
    "stage", ["download", "labels", "early@a", "score_gradients@a-grand", "score", "select", "figures"]
)
def test_a_full_disk(stage: str, clone: Clone) -> None:
    """No file may be larger than a kilobyte: to the stage that is a disk which is full."""
    clone.do("rm", "-rf", ".winnow")
    before = clone.files("data", "plots", "metrics")
    limited = ("bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *command(stage))
    done = clone.run(*limited, DVC_STAGE=stage, WINNOW_WORKERS="1")  # two would want a larger file for their counters
    assert_one_line(done.returncode, done.stdout, "too large")
    assert clone.files("data", "plots", "metrics") == before


@pytest.mark.parametrize("runner", [("dvc", "repro"), ("python", "-m", "winnow.repro")])
def test_a_name_that_a_shell_would_run_is_refused_before_it_gets_there(
    new: Clone, tmp_path: Path, runner: tuple[str, ...]
) -> None:
    """DVC puts names from params.yaml into the commands of stages."""
    clone = new.copy(tmp_path / "clone")
    clone.set("early.cohorts", {"a$(touch executed)": [0], "b & touch executed": [1]})
    done = clone.run(*runner)
    assert done.returncode != 0
    assert "a name is made of letters, digits and _" in done.stdout
    assert not list(tmp_path.rglob("executed"))
