"""Two data sets in one experiment: images of the pool are chosen for a target, and networks are judged on it."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from tests.pipeline.clone import Clone, read_yaml, write_yaml
from winnow.datasets.images import load_pixels
from winnow.selection.files import load_subset
from winnow.storage import load_table

pytestmark = pytest.mark.pipeline

METHODS = ["label_mapping", "feature_mapping", "search_and_prune", "random"]
SEEDS = [100, 101]


def write_target(folder: Path) -> Path:
    """Zeros and ones of scikit-learn's digits that the pool does not have, twice as large."""
    digits = load_digits()
    for label in (0, 1):
        rows = np.flatnonzero(digits.target == label)[-60:]  # the pool has the first images of all
        for place, row in enumerate(rows):
            file = folder / ("train" if place < 40 else "test") / str(label) / f"{place}.png"
            file.parent.mkdir(parents=True, exist_ok=True)
            pixels = np.kron(np.clip(digits.images[row] * 16, 0, 255).astype(np.uint8), np.ones((2, 2), np.uint8))
            Image.fromarray(pixels).save(file)
    return folder


@pytest.fixture
def with_target(new: Clone, tmp_path: Path) -> tuple[Clone, Path]:
    """An experiment without tickets that has nothing to do with the target but what the test is about."""
    clone, target = new.copy(tmp_path / "clone"), write_target(tmp_path / "zeros_and_ones")
    values = read_yaml(clone.path("params.yaml"))
    values["early"] |= {"cohorts": {"a": [0, 1]}}
    values["score"] |= {"gradients": []}
    values["transfer"] = {"sources": {}}
    values["ntk"] |= {"epochs": []}
    values["sweep"] = {"methods": [], "keep": []}
    values["pruning"] |= {"rewinds": {}, "levels": {}}
    values["connectivity"] |= {"matrix": []}
    values["perturbation"] |= {"runs": {}}
    values["curvature"] |= {"levels": []}
    values["select"] |= {"methods": METHODS, "keep": [0.15]}
    values["target"] = {
        "sets": {"t": {"source": "image_folder", "path": str(target)}},
        "cohort": "a",
        "training": "short",
    }
    values["networks"]["small"]["width"] = 8
    write_yaml(clone.path("params.yaml"), values)
    return clone, target


def test_images_are_chosen_for_a_target_and_networks_are_tested_on_it(with_target: tuple[Clone, Path]) -> None:
    clone, target = with_target
    tuned = {f"finetune@t-{method}-0.15" for method in METHODS} | {"finetune_ends@t-full", "finetune_ends@t-fresh"}
    assert {"target_download@t", "target_outputs@t", *tuned} < set(clone.make("figures"))
    assert load_pixels(clone.path("data/target/t"), "train").shape == (80, 1, 8, 8)

    labels = load_table(clone.path("data/labels.parquet")).set_index("id")["label"]
    chosen = {name: load_subset(clone.path(f"data/select/{name}-0.15.parquet")) for name in METHODS}
    share = {name: labels[subset.ids].isin([0, 1]).mean() for name, subset in chosen.items()}
    assert {len(subset) for subset in chosen.values()} == {round(0.15 * len(labels))}
    assert share["label_mapping"] > 0.9  # of the pool it is a fifth
    assert share["feature_mapping"] > 2 * share["random"]
    assert chosen["search_and_prune"].provenance["distance"] <= chosen["search_and_prune"].provenance["distance_of_all"]

    table = load_table(clone.path("plots/target.csv"))
    assert sorted(table.groupby("method")["seed"].agg(list).items()) == sorted(
        (name, SEEDS) for name in [*METHODS, "full", "fresh"]
    )
    assert table.set_index("method")["images"].loc[["full", "fresh"]].tolist() == [len(labels)] * 2 + [0] * 2
    assert table.set_index("method")["accuracy"].loc["full"].min() > 0.9
    assert clone.path("plots/pictures/target.png").exists()

    (target / "train/0/0.png").unlink()
    assert "zeros_and_ones" in clone.do("dvc", "status", "target_download@t")


@pytest.mark.parametrize(
    ("change", "key", "named"),
    [
        ({"sets": {"t": {"source": "image_folder", "path": "nowhere"}}}, "target.sets.t.path", "no such folder"),
        ({"sets": {"t": {"source": "nothing", "path": None}}}, "target.sets.t.source", "must be one of"),
        ({"sets": {"t": {"source": "digits", "path": "x"}}}, "target.sets.t", "path is not read"),
        ({"sets": {}}, "select.methods", "chooses for a target"),
        ({"cohort": "z"}, "target.cohort", "is not in early.cohorts"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    with_target: tuple[Clone, Path], change: dict[str, object], key: str, named: str
) -> None:
    clone, _ = with_target
    clone.set("target", read_yaml(clone.path("params.yaml"))["target"] | change)
    told = one_error(clone, "check")
    assert key in told
    assert named in told


def test_a_coloured_target_of_a_grey_pool_is_told(with_target: tuple[Clone, Path]) -> None:
    clone, target = with_target
    for file in target.rglob("*.png"):
        Image.open(file).convert("RGB").save(file)
    clone.make("download")
    assert "target.sets.t: its images are in colour" in one_error(clone, "target_download@t")
    clone.set("target.sets.t.first", 1000)
    assert "target.sets.t.first: 1000 is more than the 80 training images" in one_error(clone, "target_download@t")


def one_error(clone: Clone, stage: str) -> str:
    """What a stage says that must fail."""
    done = clone.stage(stage)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    (error,) = [line for line in done.stdout.splitlines() if line.startswith("error: ")]
    return error
