"""A user's own network and starting weights: what is wrong with them is told in one line that names the key."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from winnow.networks import build, initialise, starting
from winnow.params.training import Network

SHAPE, CLASSES = (2, 6, 6), 3
MODULES = """
import torch
from torch import nn

class Scaled(nn.Module):
    def __init__(self, features, classes):
        super().__init__()
        self.linear, self.scale = nn.Linear(features, classes), nn.Parameter(torch.rand(1))
    def forward(self, x):
        return self.scale * self.linear(x.flatten(1))

def good(classes, shape):
    return Scaled(shape[0] * shape[1] * shape[2], classes)

def one_too_many(classes, shape):
    return good(classes + 1, shape)

def wrong_input(classes, shape):
    return good(classes, (1, 2, 3))

def no_module(classes, shape):
    return torch.zeros(3)

def gives_nothing(classes, shape):
    pass

def a_list(classes, shape):
    class Lists(Scaled):
        def forward(self, x):
            return [x]
    return Lists(1, 1)

def fails(classes, shape):
    raise KeyError("depth")

def other_arguments(width):
    pass

number = 3
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with modules of a user's, which Python finds as it does in the project's root."""
    import sys

    (tmp_path / "networks").mkdir()
    (tmp_path / "networks/__init__.py").write_text("")
    (tmp_path / "networks/mine.py").write_text(MODULES)
    (tmp_path / "networks/needs.py").write_text("import of_nobody\n")
    (tmp_path / "networks/broken.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    before = {name: sys.modules.pop(name) for name in list(sys.modules) if name.partition(".")[0] == "networks"}
    yield tmp_path
    for name in [name for name in sys.modules if name.partition(".")[0] == "networks"]:
        del sys.modules[name]
    sys.modules.update(before)


def own(function: str, **others: object) -> Network:
    return Network.model_validate({"name": f"networks.{function}", **others})


def test_an_own_network_is_seeded_as_ours_are(project: Path) -> None:
    first, same, other = (initialise(own("mine:good"), CLASSES, SHAPE, seed) for seed in (1, 1, 2))
    assert first(torch.zeros(5, *SHAPE)).shape == (5, CLASSES)
    assert first.training
    assert torch.equal(first.linear.weight, same.linear.weight)
    assert torch.equal(first.scale, same.scale)
    assert not torch.equal(first.linear.weight, other.linear.weight)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:f", "name: no module networks.nowhere; it would be the file networks/nowhere.py"),
        ("mine.deeper:f", "name: no module networks.mine.deeper"),
        ("needs:f", "name: ModuleNotFoundError: No module named 'of_nobody'.*networks/needs.py, line 1"),
        ("broken:f", "name: SyntaxError: .*networks/broken.py, line 1"),
        ("mine:best", "name: networks.mine has no function best"),
        ("mine:number", "name: networks.mine has no function number"),
        ("mine:fails", "name: networks.mine:fails: KeyError: 'depth' .*networks/mine.py, line 34"),
        (
            "mine:other_arguments",
            "name: networks.mine:other_arguments: TypeError: .*takes 1 positional argument .*given$",
        ),
        ("mine:no_module", "gives a Tensor; it must give a torch.nn.Module"),
        ("mine:gives_nothing", "gives nothing; it must give a torch.nn.Module"),
        ("mine:one_too_many", r"makes \(1, 4\) of one image; it must be \(1, 3\), a logit for each class"),
        ("mine:wrong_input", "networks.mine:wrong_input: RuntimeError: .*mat1 and mat2 .*networks/mine.py, line 10"),
        ("mine:a_list", "the output is a list, not a tensor"),
    ],
)
def test_mistakes_are_named_in_one_line(project: Path, name: str, message: str) -> None:
    with pytest.raises(ValueError, match=message) as caught:
        build(own(name), CLASSES, SHAPE)
    assert "\n" not in str(caught.value)


def test_an_own_network_has_no_width(project: Path) -> None:
    with pytest.raises(ValueError, match=r"width: networks.mine:good has no width to set"):
        build(own("mine:good", width=3), CLASSES, SHAPE)


# Starting weights


@pytest.fixture
def weights(project: Path) -> Callable[..., Network]:
    """The network with these weights in a file, in place of some or all of its own."""

    def write(**changes: torch.Tensor | None) -> Network:
        state = build(own("mine:good"), CLASSES, SHAPE).state_dict() | changes
        save_file({name: t for name, t in state.items() if t is not None}, "networks/start.safetensors")
        return own("mine:good", weights="networks/start.safetensors")

    return write


def test_all_seeds_start_from_the_file_and_what_is_fresh_does_not(weights: Callable[..., Network]) -> None:
    given = torch.arange(216.0).view(3, 72)
    params = weights(**{"linear.weight": given})
    for seed in (0, 1):
        assert torch.equal(starting(params, CLASSES, SHAPE, seed).linear.weight, given)
        assert not torch.equal(initialise(params, CLASSES, SHAPE, seed).linear.weight, given)


def test_half_precision_is_read(weights: Callable[..., Network]) -> None:
    params = weights(scale=torch.tensor([0.5], dtype=torch.float16))
    assert starting(params, CLASSES, SHAPE, 0).scale.dtype == torch.float32
    assert starting(params, CLASSES, SHAPE, 0).scale.item() == 0.5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"scale": None}, "it lacks scale$"),
        ({"other": torch.ones(1)}, "it has other, which the network has not$"),
        ({"scale": None, "a.b": torch.ones(1)}, "it lacks scale, and it has a.b, which the network has not$"),
        ({"linear.bias": torch.ones(7)}, r"linear.bias has the shape \[7\], and in the network \[3\]$"),
    ],
)
def test_weights_that_do_not_fit(changes: dict, message: str, weights: Callable[..., Network]) -> None:
    with pytest.raises(ValueError, match=r"^weights: networks/start.safetensors .*" + message):
        starting(weights(**changes), CLASSES, SHAPE, 0)


def test_files_that_are_no_weights(project: Path, user_error: Callable) -> None:
    params = own("mine:good", weights="networks/start.safetensors")
    with user_error("networks/start.safetensors: no such file"):
        starting(params, CLASSES, SHAPE, 0)
    torch.save({"linear.weight": torch.ones(1)}, "networks/start.safetensors")  # a pickle: it is never opened as one
    with user_error("networks/start.safetensors: not a readable safetensors file"):
        starting(params, CLASSES, SHAPE, 0)


def test_weights_of_a_kind_that_numpy_lacks(weights: Callable[..., Network], user_error: Callable) -> None:
    params = weights(scale=torch.ones(1, dtype=torch.bfloat16))
    with user_error("networks/start.safetensors", "scale is of BF16; save it as float32"):
        starting(params, CLASSES, SHAPE, 0)


def test_the_example_in_the_folder_is_a_good_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2]))
    network = build(Network(name="networks.example:perceptron"), 10, (1, 8, 8))
    assert network.eval()(torch.zeros(2, 1, 8, 8)).shape == (2, 10)
