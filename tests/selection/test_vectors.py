"""Products of features and of last-layer gradients, against gradients that torch computes."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from winnow.selection.evidence import Given
from winnow.selection.vectors import vectors

RNG = np.random.default_rng(0)
FEATURES, LABELS = RNG.normal(size=(12, 5)).astype(np.float32), RNG.integers(0, 3, 12)


def by_autograd() -> tuple[np.ndarray, np.ndarray]:
    """The gradients of the weights and bias of a last layer, [n, 3 * 6], and the log softmax, [n, 3]."""
    layer = torch.nn.Linear(5, 3).double()
    gradients, outputs = [], []
    for row, label in zip(FEATURES, LABELS, strict=True):
        layer.zero_grad()
        output = F.log_softmax(layer(torch.tensor(row).double()), dim=0)
        (-output[label]).backward()
        gradients.append(torch.cat([layer.weight.grad.flatten(), layer.bias.grad]).numpy())
        outputs.append(output.detach().numpy())
    return np.array(gradients), np.array(outputs)


def evidence(outputs=None, features=FEATURES) -> Given:
    return Given(LABELS, 3, feature_rows=features, output_rows=outputs)


def test_gradients_are_those_of_the_last_layer():
    dense, outputs = by_autograd()
    found = vectors(evidence(outputs), 0, "gradients")
    np.testing.assert_allclose(found.products(found), dense @ dense.T, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(found.norms(), np.linalg.norm(dense, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.sum_of_products(), dense @ dense.sum(axis=0), rtol=1e-6, atol=1e-9)
    directions = dense / np.linalg.norm(dense, axis=1, keepdims=True)
    rows = np.array([7, 2])
    cosines = found.unit()[rows].products(found.unit())
    np.testing.assert_allclose(cosines, directions[rows] @ directions.T, rtol=1e-6, atol=1e-9)


def test_features_are_themselves():
    found = vectors(evidence(), 0, "features")
    np.testing.assert_allclose(found.products(found), FEATURES @ FEATURES.T, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.norms(), np.linalg.norm(FEATURES, axis=1), rtol=1e-6)
    np.testing.assert_allclose(found.sum_of_products(), FEATURES @ FEATURES.sum(axis=0), rtol=1e-5, atol=1e-5)


def test_a_vector_of_length_zero_has_no_direction():
    features = FEATURES.copy()
    features[3] = 0
    unit = vectors(evidence(features=features), 0, "features").unit()
    assert (unit.products(unit)[3] == 0).all()
    np.testing.assert_allclose(unit.norms(), np.arange(12) != 3)


def test_what_is_not_there_or_no_number_is_told():
    with pytest.raises(ValueError, match="no outputs were given"):
        vectors(evidence(), 0, "gradients")
    outputs = np.where(np.arange(12)[:, None] < 2, np.nan, np.log(np.full((12, 3), 1 / 3)))
    with pytest.raises(ValueError, match="the outputs of epoch 0 are not finite for 2 of 12 images"):
        vectors(evidence(outputs), 0, "gradients")
