"""Residual blocks are found, cut and removed: against lists by hand, against the shortcut alone, and as a level."""

import copy
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import winnow
from tests.direct.exported import exported
from tests.pruning.test_structures import dense_ticket, rule
from tests.tickets.test_level import IMAGES, SEED, SPLITS
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.context import Context
from winnow.pruning.criteria.magnitude import magnitude
from winnow.pruning.masks import Mask, apply, density, ones, weights_of
from winnow.pruning.residual_blocks import Block, residual_blocks
from winnow.pruning.structures.blocks import blocks
from winnow.tickets.files import load_ticket, save_ticket
from winnow.tickets.level import Material, begin_level
from winnow.training.loop import Beginning, start

SHAPE = (3, 8, 8)
INPUTS = torch.randn(4, *SHAPE, generator=torch.Generator().manual_seed(0))


def trained_like(name: str, width: int = 4) -> nn.Module:
    """With biases, batch-norm scales, shifts and statistics as if after a training."""
    network, draws = initialise(Network(name=name, width=width), 5, SHAPE, 0).eval(), torch.Generator().manual_seed(1)
    for tensor in network.state_dict().values():
        if tensor.dim() == 1:
            tensor.add_(0.3 * torch.rand(tensor.shape, generator=draws))
    return network


def context(network: nn.Module) -> Context:
    return Context(network, ones(network), lambda count, size: [(INPUTS[:size], torch.zeros(size).long())] * count)


def cut_of(network: nn.Module, cut: int, **options) -> Mask:
    given = context(network)
    return blocks(magnitude(given), given.mask, given, cut=cut, **options)


def basic(*places: int) -> list[Block]:
    paths = [f"blocks.{place}." for place in places]
    return [
        Block(
            (f"{path}conv1.weight", f"{path}conv2.weight"),
            tuple(f"{path}bn{i}.{name}" for i in (1, 2) for name in ("weight", "bias")),
        )
        for path in paths
    ]


def test_the_blocks_of_the_networks():
    before = copy.deepcopy((network := trained_like("resnet20")).state_dict())
    assert residual_blocks(network, INPUTS) == basic(0, 1, 2, 4, 5, 7, 8)  # 3 and 6 change the size
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())
    assert residual_blocks(trained_like("resnet8"), INPUTS[:1]) == basic(0)
    bottlenecks = residual_blocks(trained_like("resnet50"), INPUTS[:1])
    assert [block.weights[0] for block in bottlenecks] == [
        f"blocks.{place}.conv1.weight" for place in (1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 14, 15)
    ]
    assert residual_blocks(trained_like("convnet"), INPUTS) == []


def test_an_attention_and_a_perceptron_are_a_block_each():
    network = trained_like("vit", 16)
    found = residual_blocks(network, INPUTS)
    assert len(found) == 12
    layer = "encoder.layers.encoder_layer_0."
    assert found[0].weights == (f"{layer}self_attention.in_proj_weight", f"{layer}self_attention.out_proj.weight")
    assert found[1].weights == (f"{layer}mlp.0.weight", f"{layer}mlp.3.weight")
    assert f"{layer}ln_2.bias" in found[1].others


class Net(nn.Module):
    """One sum, of a form to choose."""

    def __init__(self, form: str) -> None:
        super().__init__()
        self.form, self.first, self.a, self.b, self.c = form, *(nn.Conv2d(3, 3, 1) for _ in range(4))

    def forward(self, images: Tensor) -> Tensor:
        x = self.first(images)
        if self.form == "in place":
            y = functional.relu(self.a(x), inplace=True)
            y += x
        elif self.form == "of the images":
            y = images + self.a(images)
        elif self.form == "nested":
            inner = self.a(x)
            y = x + self.b(inner + functional.relu(self.c(inner)))
        else:
            y = {
                "both orders": lambda: self.a(x) + x,
                "behind": lambda: x + self.b(functional.relu(self.a(x))),
                "projected": lambda: self.b(x) + self.a(x),
                "not zero": lambda: x + torch.sigmoid(self.a(x)),
                "used elsewhere": lambda: (x + self.a(x)) * self.a(x),
                "weights used elsewhere": lambda: x + self.first(x),
                "other inputs": lambda: x + self.a(x) * self.b(images),
                "without weights": lambda: x + x.abs(),
            }[self.form]()
        return y.mean((2, 3))


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("both orders", [("a.weight",)]),
        ("in place", [("a.weight",)]),
        ("of the images", [("a.weight",)]),
        ("behind", [("a.weight", "b.weight")]),
        ("nested", [("c.weight",)]),
        ("projected", []),
        ("not zero", []),
        ("used elsewhere", []),
        ("weights used elsewhere", []),
        ("other inputs", []),
        ("without weights", []),
    ],
)
def test_what_is_a_block(form, expected):
    assert [block.weights for block in residual_blocks(Net(form), INPUTS[:1])] == expected


def shortcut_alone(network: nn.Module, places: list[int]) -> nn.Module:
    """Without the branches of these blocks, by another forward."""
    other = copy.deepcopy(network)
    for place in places:
        other.blocks[place].forward = functional.relu
    return other


@pytest.mark.parametrize("training", [False, True])
def test_a_cut_block_passes_on_its_inputs(training):
    """Whatever the shift, the scale and the kept statistics of the norm behind the last convolution are."""
    network = trained_like("resnet20")
    mask, places = cut_of(network, 3), [0, 1, 2]  # the narrowest have the smallest sums
    assert [block for block in residual_blocks(network, INPUTS) if block.is_cut(mask)] == basic(*places)
    masked = copy.deepcopy(network)
    masked.load_state_dict(apply(masked.state_dict(), mask))
    masked.train(training)
    other = shortcut_alone(network, places).train(training)
    assert torch.equal(masked(INPUTS), other(INPUTS))


@pytest.mark.parametrize(("name", "cut"), [("resnet8", 1), ("resnet20", 5), ("resnet50", 12), ("vit", 3)])
def test_the_smaller_network_has_no_such_blocks(name, cut, tmp_path):
    network = trained_like(name, 16 if name == "vit" else 4)
    mask = cut_of(network, cut)
    small, masked = winnow.smaller(network, mask, INPUTS[:1]), copy.deepcopy(network)
    masked.load_state_dict(apply(masked.state_dict(), mask))
    with torch.no_grad():
        torch.testing.assert_close(small(INPUTS), masked(INPUTS), rtol=1e-6, atol=1e-6)
        torch.testing.assert_close(exported(small, INPUTS, tmp_path), masked(INPUTS), rtol=1e-6, atol=1e-6)
    gone = {parameter for block in residual_blocks(network, INPUTS) if block.is_cut(mask) for parameter in
            (*block.weights, *block.others)}  # fmt: skip
    there = {parameter for parameter, _ in network.named_parameters()}
    kept = {parameter for parameter, _ in small.named_parameters()}
    assert kept == there - gone


def test_channels_and_blocks_go_together_and_sums_in_place_stay():
    network = Net("in place").eval()
    mask = cut_of(network, 1)
    small = winnow.smaller(network, mask, INPUTS[:1])
    assert {name for name, _ in small.named_parameters() if name[:2] not in ("b.", "c.")} == {
        "first.weight",
        "first.bias",
    }
    with torch.no_grad():
        torch.testing.assert_close(small(INPUTS), network.first(INPUTS).mean((2, 3)))
    network = trained_like("resnet20")
    mask = cut_of(network, 4)
    for name in ("blocks.0.conv1", "blocks.1.conv1", "blocks.2.conv1", "blocks.3.conv1", "blocks.3.shortcut.0"):
        mask[f"{name}.weight"][:, 1] = False  # nothing reads channel 1 of the first stage
    small, masked = winnow.smaller(network, mask, INPUTS[:1]), copy.deepcopy(network)
    masked.load_state_dict(apply(masked.state_dict(), mask))
    assert small.conv.out_channels == 3
    torch.testing.assert_close(small(INPUTS), masked(INPUTS), rtol=1e-5, atol=1e-5)


def test_a_layer_that_is_not_called_is_told():
    class Direct(Net):
        def forward(self, images: Tensor) -> Tensor:
            return (images + torch.conv2d(images, self.a.weight)).mean((2, 3))

    network = Direct("")
    network.a = nn.Conv2d(3, 3, 1, bias=False)
    with pytest.raises(ValueError, match=r"^network: does not run without its cut blocks: .*no attribute 'weight'"):
        winnow.smaller(network, cut_of(network, 1), INPUTS)


def test_scores_are_sums_or_means_of_what_remains():
    """Three blocks of one weight for each pair of channels: of sums 18, 9 and 12, and means 2, 3 and 4."""

    class Three(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(3, 3, 1) for _ in range(3))

        def forward(self, x: Tensor) -> Tensor:
            for conv in self.convs:
                x = x + conv(x)
            return x.mean((2, 3))

    given = context(Three())
    scores = {name: torch.full((3, 3, 1, 1), value) for name, value in zip(given.mask, (2.0, 3.0, 4.0), strict=True)}
    given.mask["convs.1.weight"][1:] = False
    given.mask["convs.2.weight"].flatten()[:6] = False
    for options, expected in (({}, [1]), ({"cut": 2}, [1, 2]), ({"reduce": "mean"}, [0]), ({"cut": 3}, [0, 1, 2])):
        found = blocks(scores, given.mask, given, **options)
        assert [i for i in range(3) if not found[f"convs.{i}.weight"].any()] == expected
        assert {name for name in found if name.endswith("bias")} == {f"convs.{i}.bias" for i in expected}
        again = blocks(scores, weights_of(found), given) if len(expected) < 3 else found  # what is cut stays cut
        assert {name for name in found if name.endswith("bias")} <= again.keys()
    with pytest.raises(ValueError, match=r"^cut: the network has 3 residual blocks to cut, fewer than 4"):
        blocks(scores, given.mask, given, cut=4)
    with pytest.raises(ValueError, match=r"^structure: the network has no residual block whose shortcut is the ident"):
        blocks({}, {}, context(trained_like("convnet")))
    with pytest.raises(ValueError, match="the training diverged"):
        blocks({name: scores[name] * torch.nan for name in scores}, given.mask, given)


def test_a_level_of_blocks(tmp_path: Path):
    assert rule(structure="blocks", cut=2).structure.keywords == {"cut": 2, "reduce": "sum"}
    for choices, words in (
        ({"prune": 0.5}, ": structure blocks takes no prune; leave it out"),
        ({"allocation": "uniform"}, ".allocation: structure blocks takes none; leave it out"),
        ({"cut": 0}, ".cut: "),
    ):
        with pytest.raises(ValueError, match=f"^pruning.levels.x{words}"):
            rule(structure="blocks", **choices)
    parent = dense_ticket(Network(name="resnet20", width=4), tmp_path)
    two = rule(structure="blocks", criterion="snip", batch_size=8, cut=2)
    state, mask, about = begin_level(two, parent, parent.state_dict(), SEED, Material(IMAGES, SPLITS))
    cut = [b for b in residual_blocks(parent.network, torch.zeros(1, *IMAGES.shape)) if b.is_cut(mask)]
    assert len(cut) == 2
    every = sum(kept.numel() for kept in ones(parent.network).values())
    assert density(mask) == pytest.approx(1 - sum(mask[name].numel() for b in cut for name in b.weights) / every)
    assert about["after_cuts"][0].keys() == SPLITS.keys()
    save_ticket(tmp_path / "ticket.safetensors", state, mask, about)
    ticket = load_ticket(tmp_path / "ticket.safetensors")
    held = [ticket.network.get_parameter(name) for b in cut for name in (*b.weights, *b.others)]
    assert not any(parameter.any() for parameter in held)
    run = start(Beginning(ticket.network, 0, ticket.mask), tmp_path / "run")  # what trains holds them, too
    assert {id(weight) for weight, where in run.pruned if where.all()} == {id(parameter) for parameter in held}
    # a child that prunes single weights, and one that changes its mask in training, keep them at zero
    for choices in ({"prune": 0.5}, {"criterion": "random", "allocation": "of_parent"}):
        _, child, _ = begin_level(rule(**choices), ticket, parent.state_dict(), SEED, Material(IMAGES, SPLITS))
        assert all(block.is_cut(child) for block in cut)
        assert child.keys() == mask.keys()
