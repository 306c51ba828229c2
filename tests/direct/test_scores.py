"""Scores, features and suspects of a user's own networks and loader, against plain torch in double precision."""

import copy
from itertools import combinations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import jensenshannon
from torch import nn
from torch.nn import functional

import winnow
from tests.direct.own import CLASSES, Own, data, loader
from winnow import methods
from winnow.scores.families import OF_FEATURES
from winnow.scores.last_layer import LastLayer

X, Y = data().tensors


def plainly(network: nn.Module, name: str) -> list[float]:
    """The score of one example after another, by its definition."""
    network = copy.deepcopy(network).double().eval()
    found = []
    for x, y in zip(X.double(), Y, strict=True):
        logits = network(x[None])
        p, target = logits.softmax(1)[0], functional.one_hot(y, CLASSES)
        loss = functional.cross_entropy(logits, y[None])
        if name == "grand":
            gradients = torch.autograd.grad(loss, list(network.parameters()))
            found.append(torch.cat([gradient.flatten() for gradient in gradients]).norm().item())
        else:
            others = torch.cat([p[:y], p[y + 1 :]])
            values = {"el2n": (p - target).norm(), "loss": loss, "margin": others.max() - p[y]}
            found.append(values[name].item())
    return found


@pytest.mark.parametrize("name", ["el2n", "grand", "loss", "margin"])
def test_a_score_is_the_mean_over_the_networks(name):
    networks = [Own(seed) for seed in range(3)]
    expected = np.mean([plainly(network, name) for network in networks], axis=0)
    found = winnow.score(networks, loader(), name)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(winnow.score(networks[0], loader(), name), plainly(networks[0], name), rtol=1e-4)


def test_any_iterable_of_batches_does_and_their_size_does_not_matter():
    network = Own()
    expected = winnow.score(network, loader())
    np.testing.assert_allclose(winnow.score(network, [(X, Y)]), expected, atol=1e-6)
    np.testing.assert_allclose(winnow.score(network, iter([[X[:9], Y[:9]], [X[9:], Y[9:]]])), expected, atol=1e-6)


def test_networks_are_left_in_the_modes_they_were_in():
    network = Own().train()
    network.bn.eval()  # frozen
    modes, state = [m.training for m in network.modules()], copy.deepcopy(network.state_dict())
    winnow.score(network, loader())
    winnow.score(network, loader(), "grand")
    winnow.suspects(network, loader(), 3)
    winnow.features(network, loader())
    assert [m.training for m in network.modules()] == modes
    assert all(torch.equal(tensor, state[name]) for name, tensor in network.state_dict().items())


def test_features_are_the_inputs_of_the_last_layer():
    network = Own()
    found = winnow.features(network, loader())
    by_hand = torch.tanh(network.eval().bn(network.first(X))).detach().numpy()
    np.testing.assert_allclose(found, by_hand, atol=1e-6)
    assert found.dtype == np.float32


def test_forgetting_is_counted_from_a_record_of_the_users_own():
    correct = np.array([[1, 0, 0, 1], [0, 0, 1, 1], [1, 0, 0, 1], [0, 0, 1, 0]], bool)
    assert winnow.forgetting(correct)[-1].tolist() == [2, np.inf, 1, 1]


def test_the_agreement_of_networks_is_the_mean_over_their_pairs():
    networks = [Own(seed) for seed in range(3)]
    p = [network.eval()(X).softmax(1).detach().numpy().astype(float) for network in networks]
    pairs = [jensenshannon(a, b, axis=1) ** 2 for a, b in combinations(p, 2)]
    np.testing.assert_allclose(
        winnow.score(networks, loader(), "ensemble_agreement"), np.mean(pairs, axis=0), atol=1e-6
    )


@pytest.mark.parametrize("name", methods.names(OF_FEATURES))
def test_scores_of_features_are_of_all_examples_together(name):
    networks = [Own(seed) for seed in range(2)]
    expected = []
    for network in networks:
        last = [module for module in network.modules() if isinstance(module, nn.Linear)][-1]
        weight, bias = (part.detach().numpy() for part in (last.weight, last.bias))
        outputs = network.eval()(X).log_softmax(1).detach().numpy()
        inputs = torch.tanh(network.bn(network.first(X))).detach().numpy()
        expected.append(methods.find(OF_FEATURES, name)(LastLayer(inputs, weight, bias, outputs, Y.numpy())))
    found = winnow.score(networks, loader(), name)
    np.testing.assert_allclose(found, np.mean(expected, axis=0), rtol=1e-3, atol=1e-5)


# Suspects


class Knows(nn.Module):
    """Logits as they are given, so sure of class 0 for the inputs' first number, and so on."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


def test_suspects_are_what_the_networks_doubt_most():
    truth = torch.tensor([0, 1, 2, 1, 0])
    labels = truth.clone()
    labels[3] = 2
    sure = 3.0 * functional.one_hot(truth, 3)
    sure[0] /= 3  # a doubt, the label right
    found = winnow.suspects([Knows(), Knows()], [(sure[:2], labels[:2]), (sure[2:], labels[2:])], 2)
    assert found.columns.tolist() == ["rank", "position", "given", "predicted", "el2n", "stderr"]
    assert found[["rank", "position", "given", "predicted"]].to_numpy().tolist() == [[1, 3, 2, 1], [2, 0, 0, 0]]
    p = np.exp([0, 3, 0]) / np.exp([0, 3, 0]).sum()
    assert found["el2n"][0] == pytest.approx(np.linalg.norm(p - [0, 0, 1]))
    assert found["stderr"].tolist() == [0, 0]


def test_the_score_of_suspects_is_el2n():
    networks = [Own(seed) for seed in range(3)]
    found = winnow.suspects(networks, loader(), 1000).set_index("position")
    assert len(found) == 23
    np.testing.assert_allclose(found["el2n"].sort_index(), winnow.score(networks, loader()), rtol=1e-6)
    each = [winnow.score(network, loader()) for network in networks]
    expected = np.std(each, axis=0, ddof=1) / np.sqrt(3)
    np.testing.assert_allclose(found["stderr"].sort_index(), expected, rtol=1e-4)
    assert found["el2n"].is_monotonic_decreasing


# Mistakes


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "el3n"}, "name: 'el3n' is not a score of a network on a loader; there are el2n, entropy, least_conf"),
        ({"name": "forgetting"}, "name: 'forgetting' is not a score of a network"),
        ({"name": "confident_learning"}, "name: 'confident_learning' is not a score of a network on a loader"),
        ({"name": "ensemble_agreement"}, "networks: ensemble_agreement compares networks; give at least two"),
        ({"name": "donod", "networks": nn.Flatten()}, "no linear layer"),
        ({"name": "donod", "loader": loader(shuffle=True)}, "loader: shuffles"),
        ({"networks": []}, "networks: must be a torch.nn.Module, or a list"),
        ({"networks": "resnet18"}, "networks: must be"),
        ({"networks": nn.Identity(), "loader": [(torch.zeros(2, 3, 4), Y[:2])]}, "network: must give logits"),
        ({"loader": loader(shuffle=True)}, "loader: shuffles"),
        ({"loader": []}, "loader: gives no batch"),
        ({"loader": [X]}, "loader: must give pairs"),
        ({"loader": [(X, Y.tolist())]}, "loader: must give pairs"),
        ({"loader": [(X, Y[:3])]}, r"loader: labels must be whole numbers.*int64 \[3\] for inputs \[23, 6\]"),
        ({"loader": [(X, Y.float())]}, "loader: labels must be whole numbers.*float32"),
        ({"loader": [(X, Y + CLASSES)]}, "loader: labels must be from 0 to 3"),
    ],
)
def test_mistakes_name_the_argument(given, message):
    with pytest.raises(ValueError, match=message) as caught:
        winnow.score(**{"networks": Own(), "loader": loader(), **given})
    assert "\n" not in str(caught.value)


def test_layers_without_a_formula_are_named():
    with pytest.raises(ValueError, match="weight of layer 0 "):
        winnow.score(nn.Sequential(nn.Conv1d(1, 2, 3), nn.Flatten(), nn.Linear(8, 4)), [(X[:, None], Y)], "grand")


def test_a_network_without_a_linear_layer_has_no_features():
    with pytest.raises(ValueError, match="no linear layer"):
        winnow.features(nn.Flatten(), loader())
