"""A user's own network, and weights to start from, are inputs like any other: what they are made of reruns what is
trained with them, and nothing else does."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from tests.pipeline.clone import Clone
from tests.pipeline.test_bad_input import assert_one_line
from winnow.storage import load_tensors

pytestmark = pytest.mark.pipeline

MINE = """
from torch import nn
from networks.sizes import HIDDEN

def build(classes, shape):
    channels, height, width = shape
    return nn.Sequential(nn.Flatten(), nn.Linear(channels * height * width, HIDDEN), nn.Linear(HIDDEN, classes))
"""
WEIGHTS = "networks/start.safetensors"


@pytest.fixture
def own(clone: Clone) -> Clone:
    clone.path("networks/mine.py").write_text(MINE)
    clone.path("networks/sizes.py").write_text("HIDDEN = 5\n")
    clone.set("networks.mine", {"name": "networks.mine:build"})
    clone.set("early.network", "mine")
    return clone


def start(clone: Clone, value: float, classes: int = 10) -> None:
    state = {"1.weight": torch.full((5, 64), value), "1.bias": torch.zeros(5), "2.bias": torch.zeros(classes)}
    save_file(state | {"2.weight": torch.full((classes, 5), value)}, clone.path(WEIGHTS))


def begun(clone: Clone, seed: int) -> dict[str, float]:
    """The first number of each tensor of the untrained network."""
    tensors = load_tensors(clone.path(f"data/early/b/seed{seed}/epoch0.safetensors"))
    return {name: float(t.flat[0]) for name, t in tensors.items() if name.startswith("network.")}


def test_the_code_and_the_weights_of_an_own_network_are_inputs(own: Clone) -> None:
    assert own.repro("early@b") == ["early@b"]
    assert begun(own, 2)
    with own.path("networks/mine.py").open("a") as file:
        file.write("# a remark\n")
    own.path("networks/another.py").write_text("import numpy\n")
    assert own.repro("early@b") == []
    own.path("networks/sizes.py").write_text("HIDDEN = 5 + 0\n")
    assert own.repro("early@b") == ["early@b"]
    start(own, 0.25)
    own.set("networks.mine.weights", WEIGHTS)
    assert own.repro("early@b") == ["early@b"]
    assert begun(own, 2)["network.1.weight"] == 0.25
    start(own, 0.5)
    assert own.repro("early@b", "score_gradients@b-grand") == ["early@b", "score_gradients@b-grand"]
    assert begun(own, 2)["network.1.weight"] == 0.5
    # as it was: from the cache
    start(own, 0.25)
    assert own.repro("early@b") == []
    assert begun(own, 2)["network.1.weight"] == 0.25


def test_tickets_of_an_own_network(own: Clone) -> None:
    """Their files say which network they are of, and not where its weights began."""
    start(own, 0.1)
    own.set("networks.mine.weights", WEIGHTS)
    own.set("dense.network", "mine")
    assert own.make("prune@l1") == ["dense", "prune@l1"]
    own.path(WEIGHTS).unlink()
    ticket = "data/tickets/l1/seed200/ticket.safetensors"
    text = f"import winnow; t = winnow.load_ticket('{ticket}'); print(t.network[2].out_features, t.about['network'])"
    assert own.do("python", "-c", text).strip() == "10 {'name': 'networks.mine:build', 'width': None}"


@pytest.mark.parametrize(
    ("network", "stage", "named"),
    [
        ({"name": "mine:build"}, "check", ["networks.mine.name", "write networks.MODULE:FUNCTION"]),
        ({"name": "networks.nowhere:build"}, "check", ["networks.mine.name", "no file networks/nowhere.py"]),
        ({"name": "networks.mine:built"}, "early@b", ["networks.mine.name", "no function built"]),
        ({"name": "networks.wrong:build"}, "early@b", ["networks.mine.name", "(1, 10), a logit for each class"]),
        ({"name": "networks.mine:build", "width": 3}, "early@b", ["networks.mine.width", "leave the key out"]),
        ({"name": "convnet", "weights": "start.safetensors"}, "check", ["networks.mine.weights", "folder networks"]),
        ({"name": "convnet", "weights": WEIGHTS}, "check", ["networks.mine.weights", WEIGHTS, "no such file"]),
        ({"name": "networks.mine:build", "weights": "networks/other.safetensors"}, "early@b", [
            "networks.mine.weights", "networks/other.safetensors does not fit the network", "2.weight"
        ]),
    ],
)  # fmt: skip
def test_mistakes_end_in_one_line(network: dict, stage: str, named: list[str], own: Clone, tmp_path: Path) -> None:
    start(own, 0.1, classes=11)
    own.path(WEIGHTS).rename(own.path("networks/other.safetensors"))
    own.path("networks/wrong.py").write_text(
        "from networks.mine import build as good\ndef build(classes, shape):\n    return good(classes + 1, shape)\n"
    )
    own.set("networks.mine", network)
    done = own.stage(stage)
    assert_one_line(done.returncode, done.stdout, *named)


def test_a_network_that_imports_what_dvc_does_not_watch_is_refused(own: Clone) -> None:
    own.path("networks/mine.py").write_text(f"import tools\n{MINE}")
    own.path("tools.py").write_text("")
    done = own.run("dvc", "repro", "early@b")
    assert_one_line(done.returncode, done.stdout, "networks/mine.py: imports tools", "move it there")
