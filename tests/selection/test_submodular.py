"""Facility location, graph cut and CRAIG on images, against loops over dense gradients."""

import numpy as np
import pytest

from tests.selection.test_facilities import plainly
from winnow.selection.choose import choose
from winnow.selection.evidence import Given
from winnow.selection.facilities import on_grid
from winnow.selection.methods.craig import craig
from winnow.selection.methods.facility_location import facility_location
from winnow.selection.methods.graph_cut import graph_cut

RNG = np.random.default_rng(0)
LABELS = RNG.permutation(np.repeat([0, 1, 2], [25, 15, 20]))
FEATURES = RNG.normal(size=(60, 4)).astype(np.float32)
OUTPUTS = np.log(RNG.dirichlet(np.ones(3), 60)).astype(np.float32)
EVIDENCE = Given(LABELS, 3, feature_rows=FEATURES, output_rows=OUTPUTS)


def dense(of: str) -> np.ndarray:
    """Features, or the gradients of the last layer, built in full: float64 [n, numbers]."""
    if of == "features":
        return FEATURES.astype(np.float64)
    errors = np.exp(OUTPUTS.astype(np.float64)) - np.eye(3)[LABELS]
    with_one = np.concatenate([FEATURES.astype(np.float64), np.ones((60, 1))], axis=1)
    return (errors[:, :, None] * with_one[:, None]).reshape(60, -1)


def similarity(rows: np.ndarray) -> np.ndarray:
    cosines = [[a @ b / np.linalg.norm(a) / np.linalg.norm(b) for b in rows] for a in rows]
    return (1 + np.array(cosines)) / 2


def exactly(values: np.ndarray, size: float) -> np.ndarray:
    """Rounded as the methods do, so that two images that are the nearest of each other tie."""
    return on_grid(values, size).astype(np.float64)


def by_class(order_of, counts) -> list[int]:
    owns = [np.flatnonzero(label == LABELS) for label in range(3)]
    return np.concatenate([own[order_of(own, count)] for own, count in zip(owns, counts, strict=True)]).tolist()


@pytest.mark.parametrize("of", ["features", "gradients"])
def test_facility_location_is_the_naive_greedy_of_each_class(of):
    found = facility_location(EVIDENCE, 24, np.random.default_rng(0), epoch=0, of=of).rows
    expected = by_class(lambda own, count: plainly(exactly(similarity(dense(of)[own]), 1), count)[0], [10, 6, 8])
    assert found.tolist() == expected
    together = facility_location(EVIDENCE, 10, np.random.default_rng(0), epoch=0, of=of, per_class=False).rows
    assert together.tolist() == plainly(exactly(similarity(dense(of)), 1), 10)[0]


def cut_plainly(similarities: np.ndarray, count: int, weight: float) -> list[int]:
    order: list[int] = []
    while len(order) < count:
        gains = {
            j: weight * similarities[:, j].sum() - 2 * similarities[order, j].sum()
            for j in range(len(similarities))
            if j not in order
        }
        order.append(max(gains, key=gains.get))
    return order


@pytest.mark.parametrize("weight", [1.0, 0.1, 2.5])
@pytest.mark.parametrize("of", ["features", "gradients"])
def test_graph_cut_is_the_naive_greedy_of_each_class(of, weight):
    found = graph_cut(EVIDENCE, 24, np.random.default_rng(0), epoch=0, of=of, weight=weight).rows
    assert found.tolist() == by_class(
        lambda own, count: cut_plainly(similarity(dense(of)[own]), count, weight), [10, 6, 8]
    )
    together = graph_cut(EVIDENCE, 10, np.random.default_rng(0), epoch=0, of=of, weight=weight, per_class=False).rows
    assert together.tolist() == cut_plainly(similarity(dense(of)), 10, weight)


@pytest.mark.parametrize("of", ["features", "gradients"])
def test_craig_is_the_naive_greedy_on_distances(of):
    def order_of(own: np.ndarray, count: int) -> list[int]:
        rows = dense(of)[own]
        distances = np.array([[np.linalg.norm(a - b) for b in rows] for a in rows])
        longest = 2 * np.linalg.norm(rows, axis=1).max()
        distances = exactly(distances, longest)
        return plainly(distances.max() - distances, count)[0]

    chosen = craig(EVIDENCE, 24, np.random.default_rng(0), epoch=0, of=of)
    assert chosen.rows.tolist() == by_class(order_of, [10, 6, 8])
    stands_for = np.zeros(60)
    for image in range(60):
        kept = [row for row in chosen.rows if LABELS[row] == LABELS[image]]
        stands_for[min(kept, key=lambda row: np.linalg.norm(dense(of)[row] - dense(of)[image]))] += 1
    assert stands_for.sum() == 60
    np.testing.assert_allclose(chosen.weights, stands_for[chosen.rows] / 60 * 24, rtol=1e-6)


def test_craig_of_all_images_weighs_all_alike():
    chosen = choose(EVIDENCE, "craig", {"epoch": 0}, 60, seed=0)
    assert chosen.rows.tolist() == list(range(60))
    assert chosen.weights.tolist() == [1] * 60
    copies = Given(np.zeros(6, np.int64), 1, feature_rows=np.ones((6, 2), np.float32))
    assert choose(copies, "craig", {"epoch": 0, "of": "features"}, 6, seed=0).weights.tolist() == [1] * 6


def test_craig_takes_one_of_each_tight_cluster():
    features = np.concatenate([np.zeros((30, 2)), np.full((10, 2), 50)]) + 0.01 * RNG.normal(size=(40, 2))
    evidence = Given(np.zeros(40, np.int64), 1, feature_rows=features.astype(np.float32))
    chosen = choose(evidence, "craig", {"epoch": 0, "of": "features"}, 2, seed=0)
    assert chosen.rows[0] < 30 <= chosen.rows[1]
    assert chosen.weights.tolist() == [1.5, 0.5]
    assert chosen.weights.dtype == np.float32


@pytest.mark.parametrize("method", ["facility_location", "craig"])
def test_large_classes_are_sampled(method, monkeypatch):
    exact = choose(EVIDENCE, method, {"epoch": 0, "of": "features"}, 24, seed=0)
    monkeypatch.setattr("winnow.selection.facilities.LARGEST", 10)
    options = {"epoch": 0, "of": "features"}
    whole = choose(EVIDENCE, method, {**options, "epsilon": 1e-12}, 24, seed=0)
    assert whole.rows.tolist() == exact.rows.tolist()
    one, again, other = (choose(EVIDENCE, method, {**options, "epsilon": 0.5}, 24, seed) for seed in (0, 0, 1))
    assert one.rows.tolist() == again.rows.tolist() != other.rows.tolist()
