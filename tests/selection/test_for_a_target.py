"""Methods that choose images of one data set for another."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.selection.choose import choose
from winnow.selection.evidence import Given

RNG = np.random.default_rng
LABELS = np.repeat([0, 1, 2, 3], [3, 2, 4, 3])
METHODS = ("label_mapping", "feature_mapping", "search_and_prune")


def outputs(votes: list[int], classes: int = 4) -> np.ndarray:
    """Log softmax of images that a network takes for these classes, with 0.7 each."""
    p = np.full((len(votes), classes), 0.3 / (classes - 1))
    p[np.arange(len(votes)), votes] = 0.7
    return np.log(p).astype(np.float32)


def mapped(votes: list[int], size: int, seed: int = 0, log_p: np.ndarray | None = None):
    evidence = Given(LABELS, 4, target_log_probabilities=outputs(votes) if log_p is None else log_p)
    return choose(evidence, "label_mapping", {"epoch": 0, "target": None}, size, seed)


def test_label_mapping_by_hand():
    # class 2 has 3 votes, class 0 has 2, class 3 has 1
    votes = [2, 0, 2, 3, 0, 2]
    assert mapped(votes, 4).rows.tolist() == [5, 6, 7, 8]
    assert mapped(votes, 7).rows.tolist() == [0, 1, 2, 5, 6, 7, 8]
    found = mapped(votes, 8)
    assert found.rows[:3].tolist() == [0, 1, 2]
    assert found.rows[-1] in (9, 10, 11)  # one image of class 3
    assert found.about == {"groups": 3, "share_of_votes": 1.0, "ties": 0}
    assert {int(mapped(votes, 8, seed).rows[-1]) for seed in range(30)} == {9, 10, 11}


def test_ties_go_to_the_larger_sum_of_probabilities_and_are_counted():
    p = np.array([[0.5, 0.1, 0.1, 0.3], [0.05, 0.05, 0.6, 0.3]])  # classes 0 and 2 have a vote each, 1 and 3 none
    found = mapped([], 4, log_p=np.log(p).astype(np.float32))
    assert found.rows.tolist() == [5, 6, 7, 8]  # class 2 sums to 0.7, class 0 to 0.55
    assert found.about == {"groups": 1, "share_of_votes": 0.5, "ties": 1}
    assert mapped([], 10, log_p=np.log(p).astype(np.float32)).rows.tolist() == [0, 1, 2, 5, 6, 7, 8, 9, 10, 11]
    even = np.log(np.full((2, 4), 0.25)).astype(np.float32)
    assert mapped([], 3, log_p=even).rows.tolist() == [0, 1, 2]  # all equal: the lower class


@given(st.permutations(range(4)), st.integers(0, 2**32 - 1), st.sampled_from([3, 5, 9, 12]))
def test_the_numbers_of_classes_do_not_matter(order, seed, size):
    p = RNG(seed).dirichlet(np.ones(4), size=9)
    renamed = Given(np.array(order)[LABELS], 4, target_log_probabilities=np.log(p[:, np.argsort(order)]))
    evidence = Given(LABELS, 4, target_log_probabilities=np.log(p))
    a, b = (choose(e, "label_mapping", {"epoch": 0}, size, 1) for e in (evidence, renamed))
    assert a.rows.tolist() == b.rows.tolist()
    assert a.about == b.about


def pool(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of 40 images of each of 4 classes, and the classes; every class is a cloud of its own."""
    classes = np.arange(160) % 4
    middles = 30 * RNG(9).normal(size=(4, 5))
    return middles[classes] + RNG(seed).normal(size=(160, 5)), classes


def for_class(number: int, method: str, size: int, **options):
    """What is chosen for a target of other images of one class."""
    features, classes = pool()
    others, of = pool(seed=1)
    votes = outputs(of[of == number].tolist())
    evidence = Given(
        classes, 4, feature_rows=features, target_log_probabilities=votes, target_feature_rows=others[of == number]
    )
    return classes, choose(evidence, method, {"epoch": 0, **options}, size, 0)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("number", range(4))
def test_a_target_of_one_class_gets_that_class(method, number):
    options = {"clusters": 8} if method == "search_and_prune" else {}
    classes, found = for_class(number, method, 20, **options)
    assert (classes[found.rows] == number).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [1, 4, 53, 160])
def test_counts_are_exact_and_no_image_is_there_twice(method, size):
    _, found = for_class(2, method, size)
    assert len(set(found.rows.tolist())) == len(found.rows) == size


@pytest.mark.parametrize("method", METHODS)
def test_smaller_subsets_lie_in_larger_ones_of_whole_groups(method):
    small, large = (set(for_class(1, method, size)[1].rows.tolist()) for size in (10, 40))
    assert small < large or method == "search_and_prune"  # which takes more clusters for a larger size


def test_a_pool_that_holds_the_target_comes_near_it():
    features, classes = pool()
    evidence = Given(classes, 4, feature_rows=features, target_feature_rows=features[classes == 3])
    found = choose(evidence, "search_and_prune", {"epoch": 0, "clusters": 4}, 40, 0)
    assert found.rows.tolist() == np.flatnonzero(classes == 3).tolist()
    assert found.about["clusters"] == 1
    assert found.about["distance"] == pytest.approx(0, abs=1e-9)
    assert found.about["distance_of_all"] > 100


def test_more_images_than_the_best_clusters_have_take_further_clusters():
    features, classes = pool()
    evidence = Given(classes, 4, feature_rows=features, target_feature_rows=features[classes == 3])
    found = choose(evidence, "search_and_prune", {"epoch": 0, "clusters": 4}, 41, 0)
    assert found.about["clusters"] == 2
    assert 0 < found.about["distance"] < found.about["distance_of_all"]


def test_what_is_pruned_lies_far_apart():
    """From 40 images of the class, k-center's radius beats that of random ones."""
    features, classes = pool()
    evidence = Given(classes, 4, feature_rows=features, target_feature_rows=features[classes == 3])
    kept = choose(evidence, "search_and_prune", {"epoch": 0, "clusters": 4}, 10, 0).rows
    of = features[classes == 3]

    def radius(rows: np.ndarray) -> float:
        return np.linalg.norm(of[:, None] - features[rows], axis=2).min(axis=1).max()

    random = [radius(RNG(seed).choice(np.flatnonzero(classes == 3), 10, replace=False)) for seed in range(50)]
    assert radius(kept) < np.quantile(random, 0.1)


def test_feature_mapping_uses_no_labels():
    features, classes = pool()
    others, of = pool(seed=1)
    found = [
        choose(
            Given(labels, 4, feature_rows=features, target_feature_rows=others[of == 1]),
            "feature_mapping",
            {"epoch": 0},
            30,
            0,
        ).rows
        for labels in (classes, np.zeros_like(classes))
    ]
    assert found[0].tolist() == found[1].tolist()


@pytest.mark.parametrize("method", METHODS)
def test_without_a_target_it_says_so(method):
    features, classes = pool()
    with pytest.raises(ValueError, match=r"no (outputs for|features of) a target were given"):
        choose(Given(classes, 4, {}, features), method, {"epoch": 0}, 2, seed=0)


def test_more_clusters_than_images_are_named():
    features, classes = pool()
    evidence = Given(classes, 4, feature_rows=features, target_feature_rows=features)
    with pytest.raises(ValueError, match="clusters: 161 are more than the 160 images"):
        choose(evidence, "feature_mapping", {"epoch": 0, "clusters": 161}, 2, seed=0)
