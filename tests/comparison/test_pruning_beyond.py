"""What was measured of a network is kept, and measured again if anything that it depends on changes."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from winnow.comparison.pruning import beyond as module
from winnow.comparison.pruning.beyond import beyond
from winnow.datasets.corruptions import CORRUPTIONS
from winnow.datasets.images import Dataset, Images, save_dataset
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.masks import ones
from winnow.stages._code import ABOVE, code_of
from winnow.storage import save_table
from winnow.tickets.files import load_ticket, save_ticket

SHAPE, CLASSES, SEEDS, LEVELS = (1, 8, 8), 3, (0, 1), ("a", "b")
OWN = "networks.mine:linear"
MINE = """
from torch import nn

def linear(classes, shape):
    return nn.Sequential(nn.Flatten(), nn.Linear(shape[0] * shape[1] * shape[2], classes))
"""


def save_images(seed: int = 0, count: int = 40) -> None:
    draw = np.random.default_rng(seed)
    splits = {}
    for name in ("train", "validation", "test"):
        pixels = draw.integers(256, size=(count, *SHAPE)).astype(np.uint8)
        ids = np.array([f"{name}/{row}" for row in range(count)])
        splits[name] = Images(pixels, draw.integers(CLASSES, size=count), ids, np.arange(count))
    save_dataset("data/images", Dataset(splits, list("xyz"), [0.5], [0.25]), {})


def save_level(level: str, seed: int, weights: int, name: str = "convnet") -> None:
    network = initialise(Network(name=name, width=None if name == OWN else 4), CLASSES, SHAPE, weights)
    about = {"network": {"name": name, "width": None if name == OWN else 4}, "classes": CLASSES, "shape": list(SHAPE)}
    save_ticket(f"data/tickets/{level}/seed{seed}/ticket.safetensors", network.state_dict(), ones(network), about)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    save_images()
    for number, level in enumerate(("dense", *LEVELS)):
        for seed in SEEDS:
            save_level(level, seed, 10 * number + seed)


@pytest.fixture
def measured(project: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[str, str]]]:
    """A call of ``beyond``; returns which networks it measured, as level and seed."""
    real, files = module.save_measured, list[Path]()

    def noted(file: Path, table: pd.DataFrame, inputs: str) -> None:
        files.append(file)
        real(file, table, inputs)

    monkeypatch.setattr(module, "save_measured", noted)

    def call(levels: tuple[str, ...] = LEVELS) -> list[tuple[str, str]]:
        files.clear()
        beyond(levels)
        return sorted((file.parent.name, file.stem) for file in files)

    return call


ALL = [(level, f"seed{seed}") for level in (*LEVELS, "dense") for seed in SEEDS]


def test_a_second_call_measures_nothing_and_says_the_same(measured: Callable[..., list[tuple[str, str]]]) -> None:
    first = beyond(LEVELS)
    assert measured() == []
    pd.testing.assert_frame_equal(beyond(LEVELS), first, check_exact=True)
    save_table("again.csv", beyond(LEVELS))
    save_table("first.csv", first)
    assert Path("again.csv").read_bytes() == Path("first.csv").read_bytes()


def test_numbers_are_those_of_the_network_itself(project: None) -> None:
    """The errors by a loop over single images."""
    found = beyond(LEVELS).set_index(["level", "seed"])
    test = module.load_split("data/images", "test")
    pixels = np.asarray(test.pixels)

    def error(level: str, seed: int, images: np.ndarray) -> float:
        network = load_ticket(f"data/tickets/{level}/seed{seed}/ticket.safetensors").network
        inputs = (torch.from_numpy(images) / 255 - 0.5) / 0.25
        guesses = [int(network(image[None]).argmax()) for image in inputs]
        return float(np.mean(np.array(guesses) != test.labels))

    for level, seed in found.index:
        row = found.loc[(level, seed)]
        assert row["error"] == pytest.approx(error(level, seed, pixels))
        for name, corrupt in CORRUPTIONS.items():
            errors = [error(level, seed, corrupt(pixels, strength)) for strength in (1, 2, 3, 4, 5)]
            assert row[name] == pytest.approx(np.mean(errors), abs=1e-6 + 1 / len(pixels) / 5)  # a tie may round
    assert (found.loc["dense", "agreement"] == 1).all()
    assert (found.loc["a", "agreement"] < 1).any()


def change_ticket() -> None:
    save_level("a", 1, 99)


def change_dense() -> None:
    save_level("dense", 0, 99)


def change_images() -> None:
    save_images(seed=1)


def damage() -> None:
    file = next(Path(".winnow").rglob("b/seed0.parquet"))
    file.write_bytes(file.read_bytes()[:-9])


def put_another_in_its_place() -> None:
    one, other = (next(Path(".winnow").rglob(f"{level}/seed0.parquet")) for level in LEVELS)
    one.write_bytes(other.read_bytes())


def other_numbers() -> None:
    """A table that says it is of the same inputs, but holds other numbers."""
    file = next(Path(".winnow").rglob("b/seed0.parquet"))
    save_table(file, module.load_table(file) + 0.1, {**_provenance(file), "is": "0"})


def _provenance(file: Path) -> dict[str, str]:
    from winnow.storage import load_provenance

    return load_provenance(file)


@pytest.mark.parametrize(
    ("change", "again"),
    [
        (change_ticket, [("a", "seed1")]),
        (change_dense, [("a", "seed0"), ("b", "seed0"), ("dense", "seed0")]),
        (change_images, ALL),
        (damage, [("b", "seed0")]),
        (put_another_in_its_place, [("a", "seed0")]),
        (other_numbers, [("b", "seed0")]),
    ],
)
def test_what_has_changed_is_measured_again(
    measured: Callable[..., list[tuple[str, str]]], change: Callable[[], None], again: list[tuple[str, str]]
) -> None:
    assert measured() == ALL
    change()
    assert measured() == again
    kept = beyond(LEVELS)
    for file in Path(".winnow").rglob("*.parquet"):
        file.unlink()
    pd.testing.assert_frame_equal(beyond(LEVELS), kept, check_exact=True)


def test_a_change_of_code_measures_all_again(
    measured: Callable[..., list[tuple[str, str]]], monkeypatch: pytest.MonkeyPatch
) -> None:
    measured()
    monkeypatch.setattr(module, "code_of", lambda name, own: code_of(name, own=own) + "another line\n")
    assert measured() == ALL


def test_a_level_that_is_gone_leaves_nothing_behind(measured: Callable[..., list[tuple[str, str]]]) -> None:
    measured()
    assert measured(("b",)) == []
    assert {path.name for path in Path(".winnow/beyond").iterdir()} == {"b", "dense"}
    assert measured() == [("a", "seed0"), ("a", "seed1")]


def test_the_code_of_a_kept_result_is_all_that_runs_and_the_users_network_too(project: None) -> None:
    """As the comparison runs it: a process of its own, with a network of the user's."""
    Path("networks").mkdir()
    Path("networks/__init__.py").touch()
    Path("networks/mine.py").write_text(MINE)
    script = f"""
import sys
from winnow.comparison.pruning import beyond as module
real, count = module.save_measured, []
def noted(*inputs):
    count.append(inputs)
    real(*inputs)
module.save_measured = noted
module.beyond(["a"])
files = {{getattr(sys.modules[name], "__file__", None) for name in sys.modules if name.split(".")[0] == "winnow"}}
listed = {{line.split("  ")[1] for line in module._code(module._ticket("a", 0)).splitlines()}}
unlisted = {{file[len("{ABOVE}") + 1:] for file in files}} - listed
print(len(count), "networks/mine.py" in listed, sorted(unlisted))
"""

    def run() -> str:
        environment = {**os.environ, "PYTHONPATH": f"{ABOVE}{os.pathsep}{Path.cwd()}"}
        return subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True,
                              env=environment).stdout.strip()  # fmt: skip

    sys.path.insert(0, str(Path.cwd()))
    try:
        for level in ("dense", "a"):
            for seed in SEEDS:
                save_level(level, seed, seed, OWN)
    finally:
        sys.path.remove(str(Path.cwd()))
        for name in [name for name in sys.modules if name.partition(".")[0] == "networks"]:
            del sys.modules[name]
    assert run() == "4 True []"
    assert run() == "0 True []"
    Path("networks/mine.py").write_text(f"{MINE}\n# a remark\n")
    assert run() == "0 True []"  # the same meaning
    Path("networks/mine.py").write_text(f"{MINE}\nDEPTH = 1\n")
    assert run() == "4 True []"
