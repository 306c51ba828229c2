"""Scores of the inputs of the last layer: prototypes, neighbours, DONOD, influence and effort."""

from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import log_softmax
from torch.nn.functional import cross_entropy

from winnow import methods
from winnow.scores.families import OF_FEATURES
from winnow.scores.last_layer import LastLayer, last_weights
from winnow.scores.of_features.class_prototype_distance import class_prototype_distance
from winnow.scores.of_features.donod import changes, closeness, donod
from winnow.scores.of_features.influence_effort import DAMPING, efforts, influence_effort, influences
from winnow.scores.of_features.label_neighbours import label_neighbours
from winnow.scores.of_features.prototype_distance import prototype_distance


def layer_of(inputs: np.ndarray, labels: np.ndarray, classes: int = 3, seed: int = 0) -> LastLayer:
    """A layer of random weights on these inputs."""
    draws = np.random.default_rng(seed)
    weight, bias = draws.normal(size=(classes, inputs.shape[1])), draws.normal(size=classes)
    outputs = log_softmax(inputs @ weight.T + bias, axis=1)
    return LastLayer(*(part.astype(np.float32) for part in (inputs, weight, bias, outputs)), labels)


def drawn(images: int = 40, width: int = 5, classes: int = 3, seed: int = 0) -> LastLayer:
    draws = np.random.default_rng(seed)
    labels = np.append(np.arange(classes), draws.integers(classes, size=images - classes))
    inputs = draws.normal(size=(images, width)) + 3 * np.eye(classes, width)[labels]
    return layer_of(inputs, labels, classes, seed)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_permuting_the_images_permutes_the_scores(seed):
    layer, order = drawn(seed=seed % 1000), np.random.default_rng(seed).permutation(40)
    for name in methods.names(OF_FEATURES):
        score = methods.find(OF_FEATURES, name)
        np.testing.assert_allclose(score(layer[order]), score(layer)[order], rtol=1e-4, atol=1e-4)


def test_turning_all_features_changes_no_distance():
    layer = drawn()
    turn, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(5, 5)))
    turned = LastLayer(
        (layer.inputs @ turn).astype(np.float32), layer.weight, layer.bias, layer.log_probabilities, layer.labels
    )
    for score in (prototype_distance, class_prototype_distance, label_neighbours):
        np.testing.assert_allclose(score(turned), score(layer), atol=1e-4)


# Prototypes


def test_an_outlier_is_the_farthest_from_the_nearest_prototype():
    """Points around (1, 0) and (-1, 0), and one between, which counts for little in the mean of its own."""
    angles = np.concatenate([np.linspace(-0.1, 0.1, 20), np.pi + np.linspace(-0.1, 0.1, 20), [1.0]])
    inputs = (
        np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.linspace(1, 5, 41)[:, None]
    )  # the length is nothing
    found = prototype_distance(layer_of(inputs, np.zeros(41, int), classes=2))
    assert found.argmax() == 40
    assert (found[:40] < 0.2).all()
    centre = np.append(np.linspace(-0.1, 0.1, 20), 1.0)
    centre = np.array([np.cos(centre).mean(), np.sin(centre).mean()])
    assert found[40] == pytest.approx(np.linalg.norm([np.cos(1), np.sin(1)] - centre), rel=1e-4)


def test_prototypes_are_the_same_each_time_and_never_more_than_the_points():
    layer = drawn()
    np.testing.assert_array_equal(prototype_distance(layer), prototype_distance(layer))
    np.testing.assert_allclose(prototype_distance(layer_of(np.ones((4, 2)), np.zeros(4, int))), 0, atol=1e-6)


def test_the_own_class_by_hand():
    inputs = np.array([[2.0, 0], [0, 3], [0, 1], [-5, 0], [0, 0]])
    found = class_prototype_distance(layer_of(inputs, np.array([0, 0, 1, 2, 2])))
    half = np.sqrt(0.5)  # from (1, 0) and (0, 1) to (.5, .5)
    np.testing.assert_allclose(found, [half, half, 0, 0.5, 0.5], rtol=1e-6)


# Neighbours


def test_neighbours_against_a_loop():
    layer = drawn(images=60)
    found = label_neighbours(layer)
    for image, share in enumerate(found):
        cosines = []
        for other in range(60):
            a, b = layer.inputs[image].astype(float), layer.inputs[other].astype(float)
            cosines.append(-np.inf if other == image else a @ b / (np.linalg.norm(a) * np.linalg.norm(b)))
        labels = Counter(layer.labels[sorted(range(60), key=lambda other, all=cosines: -all[other])[:10]].tolist())
        assert share == pytest.approx(1 - labels[int(layer.labels[image])] / 10)


def test_a_wrong_label_stands_out_and_few_images_are_enough():
    inputs = np.repeat(np.eye(2), 15, axis=0)  # 15 that are the same, twice
    labels = np.repeat([0, 1], 15)
    labels[3] = 1
    found = label_neighbours(layer_of(inputs, labels))
    assert found[3] == 1
    assert (found[15:] == 0).all()
    assert label_neighbours(layer_of(np.eye(3), np.array([0, 0, 1]))).tolist() == [0.5, 0.5, 1]
    assert label_neighbours(layer_of(np.eye(1), np.array([0]))).tolist() == [0]


# DONOD


def test_topsis_by_hand():
    found = closeness(np.array([[1.0, 1], [2, 1], [1, 3]]))
    np.testing.assert_allclose(found, [1, 0.5963, 0.4037], atol=5e-5)
    assert closeness(np.zeros((2, 2))).tolist() == [1, 1]


def test_changes_of_the_weights_by_hand():
    """W = (3, 4) beside a class of weight 0. With p = (1/2, 1/2) and label 0 the error is (-1/2, 1/2), so for the input
    (4, -3) the gradient has the rows (-2, 1.5) and (2, -1.5): at right angles to W, and of norm 3.5355."""
    half, weight = np.log(np.float32([[0.5, 0.5]])), np.float32([[3, 4], [0, 0]])
    layer = LastLayer(np.float32([[4, -3]]), weight, np.zeros(2, np.float32), half, np.array([0]))
    don, nod = changes(layer, 0.1)
    assert don[0] == pytest.approx((25 + 0.125) ** 0.5 - 5)
    assert nod[0] == pytest.approx(0.1 * 12.5**0.5)


@pytest.mark.parametrize(("gradient", "expected"), [((3, 4), -0.5), ((-4, 3), 0.0249)])
def test_changes_along_the_weights_and_across_by_hand(gradient, expected):
    """W = (3, 4), and a gradient along it or at right angles. Errors of two classes are opposite, so each vector v is
    the matrix of the rows -v and v over the root of 2."""
    half, sides = np.log(np.float32([[0.5, 0.5]])), np.float32([[-1], [1]]) / np.sqrt(2)
    inputs, weight = np.sqrt(2) * np.float32([gradient]), sides * np.float32([[3, 4]])
    layer = LastLayer(inputs, weight, -(weight @ inputs[0]), half, np.array([0]))  # the error is (-1/2, 1/2)
    don, nod = changes(layer, 0.1)
    assert don[0] == pytest.approx(expected, abs=5e-5)
    assert nod[0] == pytest.approx(0.5)


@pytest.mark.parametrize("step", [0.01, 0.1, 1.0])
def test_changes_of_the_weights_against_autograd(step):
    layer = drawn(images=12)
    don, nod = changes(layer, step)
    weight, bias = (torch.tensor(part, dtype=torch.float64) for part in (layer.weight, layer.bias))
    weight.requires_grad_()
    for image in range(12):
        logits = torch.tensor(layer.inputs[image : image + 1], dtype=torch.float64) @ weight.T + bias
        (gradient,) = torch.autograd.grad(cross_entropy(logits, torch.tensor(layer.labels[image : image + 1])), weight)
        expected = torch.linalg.norm(weight - step * gradient) - torch.linalg.norm(weight)
        assert don[image] == pytest.approx(expected.item(), rel=1e-4, abs=1e-5)
        assert nod[image] == pytest.approx(torch.linalg.norm(step * gradient).item(), rel=1e-4)


def test_donod_prefers_what_changes_the_weights_less_in_both_ways():
    layer = drawn()
    found, (don, nod) = donod(layer), changes(layer, 0.01)
    less = (don[:, None] < don) & (nod[:, None] < nod)
    assert less.sum() > 100
    assert (found[:, None] > found)[less].all()


# Influence and effort


def by_autograd(layer: LastLayer) -> tuple[np.ndarray, np.ndarray]:
    """Influences and efforts by the whole Hessian of the mean loss, and a gradient for every image."""
    inputs, labels = torch.tensor(layer.inputs, dtype=torch.float64), torch.tensor(layer.labels)
    inputs = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=torch.float64)], dim=1)
    start = torch.tensor(np.column_stack([layer.weight, layer.bias]), dtype=torch.float64)

    def loss(weight: torch.Tensor) -> torch.Tensor:
        return cross_entropy(inputs @ weight.T, labels)

    hessian = torch.autograd.functional.hessian(loss, start).reshape(start.numel(), start.numel())
    weight = start.clone().requires_grad_()
    gradients = torch.stack(
        [
            torch.autograd.grad(cross_entropy(inputs[i : i + 1] @ weight.T, labels[i : i + 1]), weight)[0].flatten()
            for i in range(len(labels))
        ]
    )
    damped = hessian + DAMPING * torch.eye(start.numel(), dtype=torch.float64)
    found = gradients @ torch.linalg.solve(damped, gradients.mean(dim=0))
    return found.numpy(), gradients.norm(dim=1).numpy()


def test_influence_and_effort_against_autograd():
    layer = drawn()
    influence, effort = by_autograd(layer)
    for exact in (0, 1000):  # by conjugate gradients, and by a solve
        np.testing.assert_allclose(influences(layer, exact), influence, rtol=1e-3, atol=1e-4 * np.abs(influence).max())
    np.testing.assert_allclose(efforts(layer), effort, rtol=1e-4)
    both = sum((part - part.min()) / (part.max() - part.min()) for part in (influence, effort))
    np.testing.assert_allclose(influence_effort(layer), both, atol=1e-3)


# The layer


def test_the_last_layer_is_the_one_that_gives_the_outputs():
    layer = drawn(width=3)  # as wide as it has classes, so that a layer before can have its shape
    tensors = {
        "network.first.weight": -layer.weight,
        "network.first.bias": layer.bias,
        "network.last.weight": layer.weight,
        "network.last.bias": layer.bias,
        "features": layer.inputs,
    }
    weight, bias = last_weights(tensors, layer.inputs, layer.log_probabilities)
    assert weight is layer.weight
    assert bias is layer.bias
    no_bias = last_weights({"network.last.weight": layer.weight}, layer.inputs, layer.log_probabilities)[1]
    assert no_bias.tolist() == [0, 0, 0]
    with pytest.raises(ValueError, match="the network's last linear layer does not give its logits"):
        last_weights({"network.last.weight": layer.weight.T[:2]}, layer.inputs, layer.log_probabilities)
