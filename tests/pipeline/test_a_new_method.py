"""A new method is one file, which nothing lists: a toy of each kind is added to a scratch clone, and run.

A network of the project's own and a picture take a line more; a measure of the landscape takes a stage.
"""

import json

import numpy as np
import pytest

from tests.pipeline.clone import Clone
from winnow.pruning.masks import density
from winnow.selection.files import load_subset
from winnow.storage import load_table, load_tensors
from winnow.tickets.files import load_ticket

pytestmark = pytest.mark.pipeline

ONE_FILE_EACH = {
    "src/winnow/scores/of_outputs/unsure.py": """
import numpy as np

def unsure(log_probabilities, labels):
    return 1 - np.exp(log_probabilities).max(axis=1)
""",
    "src/winnow/selection/methods/every.py": """
import numpy as np
from winnow.selection.evidence import Chosen

def every(evidence, size, rng, *, step: int = 1):
    rows = np.argsort(np.arange(len(evidence.labels)) % step, kind="stable")
    return Chosen(rows[:size])
""",
    "src/winnow/pruning/criteria/smallness.py": """
def smallness(context, *, power: float = 1.0):
    return {name: -weight.abs() ** power for name, weight in context.weights.items()}
""",
    "src/winnow/pruning/allocations/alphabetical.py": """
def alphabetical(layers, total):
    kept = {name: layer.least for name, layer in sorted(layers.items())}
    for name in kept:
        kept[name] += min(len(layers[name].scores) - kept[name], total - sum(kept.values()))
    return kept
""",
    "src/winnow/pruning/during/suddenly.py": """
def suddenly(level, *, at: float = 0.5):
    from winnow.training.loop import Changes

    step = round(level.first + at * (level.last - level.first))
    return Changes(lambda run: level.prune(run, level.after) if run.step == step else None)
""",
    "src/winnow/datasets/sources/stripes.py": """
import numpy as np
from winnow.datasets.images import Images
from winnow.datasets.source import Source

def stripes(params):
    def images(name, count):
        labels = np.arange(count) % 4
        pixels = np.random.default_rng(count).integers(100, size=(count, 1, 8, 8), dtype=np.uint8)
        pixels[np.arange(count), 0, 2 * labels] += 100
        return Images(pixels, labels, np.array([f"{name}/{i}" for i in range(count)]), np.arange(count))
    return Source(images("train", 300), images("test", 100), ["a", "b", "c", "d"])
""",
    "networks/toy.py": """
from torch import nn

def build(classes, shape):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 7), nn.ReLU(), nn.Linear(7, classes))
""",
    "src/winnow/report/toy.py": """
from winnow.report.style import drawing, new_figure

def toy_figure(differences, style):
    with drawing(style):
        figure = new_figure(style, 3, 2)
        figure.subplots().plot(differences["fraction"], differences["difference"], "o")
        return figure
""",
    "src/winnow/landscape/distance.py": """
def distance(state, start):
    return float(sum((state[name] - start[name]).square().sum() for name in start)) ** 0.5
""",
    "src/winnow/stages/distance.py": """
from winnow.stages._stage import main, params
from winnow.stages._tickets import ticket
from winnow.landscape.distance import distance
from winnow.params.dense import Dense
from winnow.params.landscape import Distance
from winnow.storage import save_json
from winnow.tickets.files import load_ticket

def distances():
    options = params(dense=Dense, distance=Distance)
    seeds = options.dense.seeds
    def state(level, seed):
        return load_ticket(ticket(level, seed)).network.state_dict()
    found = [distance(state(options.distance.level, seed), state("dense", seed)) for seed in seeds]
    save_json("data/landscape/distance.json", found)

if __name__ == "__main__":
    main(distances)
""",
}
STAGE = """\
  distance:
    cmd: exec python -B -m winnow.stages.distance
    params: [dense.seeds, distance]
    deps: [data/code/distance.txt, data/tickets/dense, "data/tickets/${distance.level}"]
    outs: [data/landscape/distance.json]
"""
LINES = {  # before the second of each pair goes the first
    "src/winnow/stages/figures.py": [
        ("from winnow.report.toy import toy_figure\n", "from winnow.scores.columns import column\n"),
        ('        "toy": toy_figure(against, style),\n', '        "suspects": suspects_figure('),
    ],
    "src/winnow/params/landscape.py": [("class Distance(Section):\n    level: str\n\n\n", "class Curvature(")],
    "src/winnow/experiment.py": [
        ("from winnow.params.landscape import Distance\n", "from winnow.params.landscape import Connectivity"),
        ("    distance: Distance\n", "    figures: Figures\n"),
    ],
    "dvc.yaml": [(STAGE, "  tickets:\n")],
}
LEVELS = {
    "small": {"criterion": "smallness", "power": 2.0, "parent": "dense", "prune": 0.5},
    "first": {"allocation": "alphabetical", "parent": "dense", "prune": 0.5},
    "sudden": {"when": "suddenly", "at": 0.3, "parent": "none", "prune": 0.5},
}
PARAMS = {
    "networks": {
        "lenet": {"name": "lenet_300_100"},
        "small": {"name": "convnet", "width": 4},
        "toy": {"name": "networks.toy:build"},
    },
    "early.network": "toy",
    "download.source": "stripes",
    "score": {"scores": ["el2n", "unsure"], "gradients": []},
    "select.methods": {"random": {}, "unsure": {}, "third": {"method": "every", "step": 3}},
    "pruning": {
        "rewinds": {},
        "levels": {name: {"rewind": "dense", "data": "full", **level} for name, level in LEVELS.items()},
        "floor": 1,
    },
    "connectivity.matrix": ["dense", "small"],
    "perturbation.runs": {},
    "curvature.levels": [],
    "distance": {"level": "small"},
}


@pytest.fixture(scope="module")
def added(new: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    clone = new.copy(tmp_path_factory.mktemp("added") / "clone")
    for name, text in ONE_FILE_EACH.items():
        assert not clone.path(name).exists()
        clone.path(name).write_text(text)
    for name, lines in LINES.items():
        text = clone.path(name).read_text()
        for line, before in lines:
            assert text.count(before) == 1
            text = text.replace(before, line + before)
        clone.path(name).write_text(text)
    for key, value in PARAMS.items():
        clone.set(key, value)
    clone.make()
    return clone


def test_a_data_set_and_a_network(added: Clone) -> None:
    assert json.loads(added.path("data/images/dataset.json").read_text())["class_names"] == ["a", "b", "c", "d"]
    state = load_tensors(added.path("data/early/b/seed2/epoch6.safetensors"))
    assert state["network.1.weight"].shape == (7, 64)


def test_a_score(added: Clone) -> None:
    files = [added.path(f"data/early/{run}/epoch6.safetensors") for run in ("a/seed0", "a/seed1", "b/seed2")]
    highest = [np.exp(load_tensors(file)["log_probabilities"]).max(axis=1) for file in files]
    scores = load_table(added.path("data/scores/scores.parquet"))
    np.testing.assert_allclose(scores["unsure_epoch6_mean"], 1 - np.mean(highest, axis=0), rtol=1e-5, atol=1e-7)
    chosen = load_subset(added.path("data/select/unsure-0.5.parquet")).ids  # a score is a selection method, too
    assert set(chosen) == set(scores.nlargest(len(chosen), "unsure_epoch6_mean")["id"])


def test_a_selection_method_with_an_option(added: Clone) -> None:
    ids = list(load_table(added.path("data/images/train.parquet"))["id"])
    assert set(load_subset(added.path("data/select/third-0.5.parquet")).ids) >= set(ids[::3])
    assert added.path("data/retrain/third-0.5/results.csv").exists()


def test_a_criterion_an_allocation_and_a_way_of_pruning_in_training(added: Clone) -> None:
    dense, *levels = (
        load_ticket(added.path(f"data/tickets/{name}/seed200/ticket.safetensors")) for name in ("dense", *LEVELS)
    )
    masks = dict(zip(LEVELS, (level.mask for level in levels), strict=True))
    assert {name: density(mask) for name, mask in masks.items()} == pytest.approx(dict.fromkeys(LEVELS, 0.5), abs=1e-3)
    sizes = [(dense.network.get_parameter(name).abs(), kept) for name, kept in masks["small"].items()]
    assert max(float(size[kept].max()) for size, kept in sizes) <= min(float(size[~kept].min()) for size, kept in sizes)
    counts = [(int(kept.sum()), kept.numel()) for _, kept in sorted(masks["first"].items())]
    whole = [kept == size for kept, size in counts].index(False)
    assert [kept for kept, _ in counts[whole + 1 :]] == [1] * len(counts[whole + 1 :])  # the floor


def test_a_picture_and_a_measure_of_the_landscape(added: Clone) -> None:
    assert added.path("plots/pictures/toy.png").exists()
    distances = json.loads(added.path("data/landscape/distance.json").read_text())
    assert len(distances) == 2
    assert min(distances) > 0
