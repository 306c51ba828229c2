import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils import prune

import winnow
from tests.pruning.masked import Attention, cut_smallest
from winnow.networks import initialise
from winnow.params.training import Network
from winnow.pruning.masks import Mask, ones
from winnow.storage import save_tensors
from winnow.tickets.files import Ticket, load_ticket, multiplications_left, save_ticket

NETWORK = Network(name="resnet8", width=4)
SHAPE = (3, 8, 8)
ABOUT = {"network": {"name": "resnet8", "width": 4}, "classes": 5, "shape": list(SHAPE), "level": 3, "seed": 1}


def sparse() -> tuple[nn.Module, Mask]:
    """A network with batch-norm statistics of its own, and a mask that leaves a fifth."""
    network = initialise(NETWORK, 5, SHAPE, seed=1)
    network(images(20) + 0.5)
    return network.eval(), cut_smallest(network.state_dict(), ones(network), 0.8)


def images(count: int = 6) -> torch.Tensor:
    return torch.randn(count, *SHAPE, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def path(tmp_path):
    network, mask = sparse()
    save_ticket(tmp_path / "ticket.safetensors", network.state_dict(), mask, ABOUT)
    return tmp_path / "ticket.safetensors"


def layer_of(network: nn.Module, name: str) -> tuple[nn.Module, str]:
    parent, _, parameter = name.rpartition(".")
    return network.get_submodule(parent), parameter


def test_a_ticket_is_a_network_with_its_mask_applied(path):
    network, mask = sparse()
    ticket = winnow.load_ticket(str(path))
    assert ticket.mask.keys() == mask.keys()
    state = ticket.state_dict()
    assert state.keys() == network.state_dict().keys()
    for name, tensor in network.state_dict().items():
        expected = torch.where(mask[name], tensor, 0) if name in mask else tensor
        assert torch.equal(state[name], expected)
        if name in mask:
            assert torch.equal(ticket.mask[name], mask[name])
            assert torch.equal(state[name] != 0, mask[name])
    assert not ticket.network.training
    for name in mask:  # prune itself, as the judge
        prune.custom_from_mask(*layer_of(network, name), mask[name])
    assert torch.equal(ticket.network(images()), network(images()))


def test_the_fraction_of_multiplications_by_hand():
    """The first layer's weights count at each of 8 x 8 pixels, the last one's once."""
    network = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1, bias=False), nn.Flatten(), nn.Linear(256, 5))
    first, last = torch.zeros(4, 3, 3, 3, dtype=torch.bool), torch.ones(5, 256, dtype=torch.bool)
    first[0], last[:, :128] = True, False
    ticket = Ticket(network.eval(), {"0.weight": first, "2.weight": last}, {"shape": [3, 8, 8]})
    assert multiplications_left(ticket) == (27 * 64 + 640) / (108 * 64 + 1280)


def test_it_says_what_it_is(path):
    ticket = load_ticket(path)
    left = round(0.2 * sum(layer.numel() for layer in ticket.mask.values()))
    fraction = left / sum(layer.numel() for layer in ticket.mask.values())
    assert ticket.about == ABOUT | {"weights_left": left, "density": fraction}


def test_loading_draws_nothing_from_the_users_generator(path):
    torch.manual_seed(0)
    state = torch.get_rng_state()
    load_ticket(path)
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize("way", ["identity", "custom_from_mask"])
def test_it_loads_into_a_network_pruned_by_torch(path, way):
    ticket = load_ticket(path)
    theirs = initialise(NETWORK, 5, SHAPE, seed=7).eval()
    for name, layer in ticket.mask.items():
        if way == "identity":
            prune.identity(*layer_of(theirs, name))
        else:
            prune.custom_from_mask(*layer_of(theirs, name), torch.rand(layer.shape) < 0.5)
    exported = ticket.state_dict(prune=True)
    assert {name: (t.shape, t.dtype) for name, t in theirs.state_dict().items()} == {
        name: (t.shape, t.dtype) for name, t in exported.items()
    }
    theirs.load_state_dict(exported)
    assert torch.equal(theirs(images()), ticket.network(images()))
    assert prune.is_pruned(theirs)

    theirs.train()(images()).sum().backward()  # and keeps to the mask
    torch.optim.SGD(theirs.parameters(), lr=0.1, weight_decay=0.1).step()
    for name in ticket.mask:
        prune.remove(*layer_of(theirs, name))
    moved = theirs.state_dict()
    assert all(not moved[name][~layer].any() for name, layer in ticket.mask.items())
    assert any(not torch.equal(moved[name], ticket.state_dict()[name]) for name in ticket.mask)


def test_an_attention_loads_into_one_pruned_by_torch():
    def network(seed: int) -> nn.Module:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return Attention().eval()

    ours, theirs = network(0), network(1)
    mask = cut_smallest(ours.state_dict(), ones(ours), 0.5)
    with torch.no_grad():
        for name, layer in mask.items():
            ours.get_parameter(name).masked_fill_(~layer, 0)
    for name in mask:
        prune.identity(*layer_of(theirs, name))
    theirs.load_state_dict(Ticket(ours, mask, {}).state_dict(prune=True))
    for name in mask:
        prune.remove(*layer_of(theirs, name))
    inputs = torch.randn(2, 3, 6, 6, generator=torch.Generator().manual_seed(0))
    assert torch.equal(theirs(inputs), ours(inputs))


def test_the_same_ticket_has_the_same_bytes(path, tmp_path):
    network, mask = sparse()
    backwards = dict(reversed(ABOUT.items()))
    save_ticket(
        tmp_path / "other", dict(reversed(network.state_dict().items())), dict(reversed(mask.items())), backwards
    )
    assert (tmp_path / "other").read_bytes() == path.read_bytes()


def test_what_is_no_ticket_is_told(path, tmp_path, user_error):
    with user_error(tmp_path / "none", "no such file"):
        load_ticket(tmp_path / "none")
    with user_error(tmp_path, "not a readable safetensors file"):
        load_ticket(tmp_path)
    path.write_bytes(path.read_bytes()[:-50])
    with user_error(path, "not a readable safetensors file"):
        load_ticket(path)
    foreign = tmp_path / "foreign.safetensors"
    save_tensors(foreign, {"weight": np.zeros(3)})
    with user_error(foreign, "not a ticket: it does not name its network"):
        load_ticket(foreign)
    network, mask = sparse()
    save_ticket(foreign, network.state_dict(), mask, ABOUT | {"network": {"name": "resnet8", "width": 5}})
    with user_error(foreign, "not a ticket that this version can read"):
        load_ticket(foreign)
    for huge in ({"network": {"name": "convnet", "width": 10**9}}, {"classes": 10**12}):
        save_ticket(foreign, network.state_dict(), mask, ABOUT | huge)
        with user_error(foreign, "its network is larger than its weights"):
            load_ticket(foreign)
    save_ticket(foreign, network.state_dict(), mask, ABOUT | {"network": {"name": "resnet7"}})
    with user_error(foreign, "network.name", "resnet7"):
        load_ticket(foreign)
    with pytest.raises(ValueError, match="without its network"):
        save_ticket(foreign, network.state_dict(), mask, {"classes": 5, "shape": list(SHAPE)})
