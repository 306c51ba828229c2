"""Which layers share channels: against lists by hand."""

import pytest
import torch
from torch import Tensor, nn

from tests.pruning.masked import Attention
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.channel_groups import Group, channel_groups


def named(groups: list[Group]) -> list[tuple[int, set[str], set[str]]]:
    return [(g.size, {part.weight for part in g.writers}, {part.weight for part in g.readers}) for g in groups]


@pytest.mark.parametrize("width", [4, 16])  # a strided 1x1 convolution is a slice first if 8 does not divide its width
def test_a_resnet8(width):
    network = initialise(Network(name="resnet8", width=width), 10, (3, 8, 8), 0).train()
    before = {name: tensor.clone() for name, tensor in network.state_dict().items()}
    w = ".weight"
    expected = [
        # the stem and the sum of the first block, which the second block reads twice
        (width, {"conv", "blocks.0.conv2"}, {"blocks.0.conv1", "blocks.1.conv1", "blocks.1.shortcut.0"}),
        (width, {"blocks.0.conv1"}, {"blocks.0.conv2"}),
        (2 * width, {"blocks.1.conv1"}, {"blocks.1.conv2"}),
        (2 * width, {"blocks.1.conv2", "blocks.1.shortcut.0"}, {"blocks.2.conv1", "blocks.2.shortcut.0"}),
        (4 * width, {"blocks.2.conv1"}, {"blocks.2.conv2"}),
        (4 * width, {"blocks.2.conv2", "blocks.2.shortcut.0"}, {"linear"}),
    ]
    found = channel_groups(network, torch.zeros(1, 3, 8, 8))
    assert named(found) == [(n, {x + w for x in writers}, {x + w for x in readers}) for n, writers, readers in expected]
    for group in found:
        for part in (*group.writers, *group.readers):
            assert part.places.tolist() == part.channels.tolist() == list(range(group.size))
    assert network.training
    assert all(torch.equal(before[name], tensor) for name, tensor in network.state_dict().items())


def test_the_three_other_small_networks():
    lenet = initialise(Network(name="lenet_300_100"), 10, (1, 8, 8), 0)
    assert named(channel_groups(lenet, torch.zeros(1, 1, 8, 8))) == [
        (300, {"1.weight"}, {"3.weight"}),
        (100, {"3.weight"}, {"5.weight"}),
    ]
    convnet = initialise(Network(name="convnet", width=3), 10, (1, 8, 8), 0)
    assert named(channel_groups(convnet, torch.zeros(1, 1, 8, 8))) == [
        (3, {"0.weight"}, {"4.weight"}),
        (6, {"4.weight"}, {"8.weight"}),
        (12, {"8.weight"}, {"13.weight"}),
    ]


def test_a_flattened_image_is_read_at_several_places():
    network = nn.Sequential(nn.Conv2d(1, 3, 3), nn.Flatten(), nn.Linear(12, 2))
    (group,) = channel_groups(network, torch.zeros(1, 1, 4, 4))
    (reader,) = group.readers
    assert reader.places.tolist() == list(range(12))
    assert reader.channels.tolist() == [0] * 4 + [1] * 4 + [2] * 4


class Branches(nn.Module):
    """Two convolutions side by side, perhaps a layer behind both, and one that reads all."""

    def __init__(self, behind: nn.Module) -> None:
        super().__init__()
        self.a, self.b, self.behind, self.last = nn.Conv2d(1, 2, 1), nn.Conv2d(1, 3, 1), behind, nn.Conv2d(5, 4, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.behind(torch.cat([self.a(images), self.b(images)], 1))).mean((2, 3))


def test_what_is_put_side_by_side_keeps_its_places():
    a, b = channel_groups(Branches(nn.BatchNorm2d(5)), torch.zeros(1, 1, 4, 4))
    assert named([a, b]) == [(2, {"a.weight"}, {"last.weight"}), (3, {"b.weight"}, {"last.weight"})]
    assert (a.readers[0].places.tolist(), a.readers[0].channels.tolist()) == ([0, 1], [0, 1])
    assert (b.readers[0].places.tolist(), b.readers[0].channels.tolist()) == ([2, 3, 4], [0, 1, 2])


def test_a_depthwise_convolution_has_the_channels_that_it_takes():
    (group,) = channel_groups(Branches(nn.Conv2d(5, 5, 3, groups=5)), torch.zeros(1, 1, 4, 4))
    assert named([group]) == [(5, {"a.weight", "b.weight", "behind.weight"}, {"last.weight"})]
    parts = {part.weight: (part.places.tolist(), part.channels.tolist()) for part in group.writers}
    assert parts["a.weight"] == ([0, 1], [0, 1])
    assert parts["b.weight"] == ([0, 1, 2], [2, 3, 4])
    assert parts["behind.weight"] == ([0, 1, 2, 3, 4],) * 2


def ending(*layers: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 1), *layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))


def test_channels_that_cannot_go_alone_are_left_out():
    inputs = torch.zeros(1, 1, 4, 4)
    assert len(channel_groups(ending(nn.BatchNorm2d(4)), inputs)) == 1
    assert channel_groups(ending(nn.GroupNorm(2, 4)), inputs) == []
    assert channel_groups(ending(nn.Softmax(1)), inputs) == []
    assert named(channel_groups(ending(nn.Conv2d(4, 4, 1, groups=2)), inputs)) == []
    assert named(channel_groups(ending(nn.GroupNorm(2, 4), nn.Conv2d(4, 4, 1)), inputs)) == [
        (4, {"2.weight"}, {"5.weight"})
    ]
    assert channel_groups(Attention(), torch.zeros(1, 3, 6, 6)) == []


def test_a_dead_layer_hides_no_coupling():
    network = ending(nn.GroupNorm(2, 4))
    with torch.no_grad():
        network[-1].weight.zero_()  # so the outputs depend on nothing
    assert channel_groups(network, torch.zeros(1, 1, 4, 4)) == []


def test_a_network_that_cannot_be_followed_is_told_in_one_line():
    with pytest.raises(ValueError, match=r"^the channels of the network cannot be followed \(RuntimeError: .*\)$"):
        channel_groups(nn.Linear(3, 2), torch.zeros(1, 4))
