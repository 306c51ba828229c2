"""Lines on subsets of the images, and single images that are connected."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from tests.landscape.test_line import networks
from tests.landscape.tiny import images
from winnow.analysis.verdicts import barriers
from winnow.datasets.images import Labelled, sample
from winnow.landscape.batch_norm import recalibrate
from winnow.landscape.connectivity import line_between, line_on_subsets
from winnow.landscape.line import between
from winnow.landscape.subsets import Outcomes, by_score, connected, table_of
from winnow.stages._lines import _beside
from winnow.training.batches import normalise

POINTS = 5
SPLITS = {"train": images(30), "test": images(20, seed=7), "others": images(10, seed=8)}
SUBSETS = {"lowest": np.array([0, 31, 39]), "random": np.array([5, 0, 12]), "highest": np.array([2, 3])}


@pytest.fixture(scope="module", params=["recalibrated", "interpolated"])
def statistics(request):
    return request.param


def one_by_one(statistics):
    """By part, error and loss of every image at every point, float [points, n], each image alone in its batch."""
    a, b = networks()
    network, states = networks()[0].double(), [network.double().state_dict() for network in (a, b)]
    calibration = [(inputs.double(), labels) for inputs, labels in SPLITS["train"].mixed()]
    found = {name: (np.zeros((POINTS, len(part))), np.zeros((POINTS, len(part)))) for name, part in SPLITS.items()}
    for point in range(POINTS):
        network.load_state_dict(between(*states, point / (POINTS - 1)))
        if statistics == "recalibrated":
            recalibrate(network, calibration)
        network.eval()
        for name, part in SPLITS.items():
            for i in range(len(part)):
                with torch.no_grad():
                    logits = network(normalise(part.pixels[i : i + 1], part).double())[0]
                label = int(part.labels[i])
                found[name][0][point, i] = int(logits.argmax()) != label
                found[name][1][point, i] = float(logits.logsumexp(0) - logits[label])
    return found


def test_a_line_on_subsets_is_that_of_a_plain_loop_over_points_and_images(statistics):
    plain = one_by_one(statistics)
    union = [np.hstack([plain["train"][i], plain["others"][i]]) for i in (0, 1)]
    plain |= {name: (union[0][:, rows], union[1][:, rows]) for name, rows in SUBSETS.items()}
    line = line_on_subsets(*networks(), POINTS, SPLITS, statistics, SUBSETS)
    assert list(dict.fromkeys(line["split"])) == ["train", "test", *SUBSETS]
    heights = barriers(line.assign(seed=0)).set_index("split")
    for name, rows in line.groupby("split"):
        errors, losses = plain[name]
        assert rows["alpha"].tolist() == [0, 0.25, 0.5, 0.75, 1]
        np.testing.assert_allclose(rows["error"], errors.mean(axis=1), atol=1e-12)
        np.testing.assert_allclose(rows["loss"], losses.mean(axis=1), rtol=1e-4)
        excess = [
            errors[i].mean() - ((1 - alpha) * errors[0].mean() + alpha * errors[-1].mean())
            for i, alpha in enumerate(rows["alpha"])
        ]
        assert heights.at[name, "barrier"] == pytest.approx(max(0, *excess))
        holds = [max(error) <= max(error[0], error[-1]) for error in errors.T]
        assert (rows["connected"] == np.mean(holds)).all()


def test_the_splits_are_measured_to_the_byte_as_without_subsets(statistics):
    whole = {name: SPLITS[name] for name in ("train", "test")}
    without = line_between(*networks(), POINTS, whole, statistics)
    line = line_on_subsets(*networks(), POINTS, SPLITS, statistics, SUBSETS)
    rows = line[line["split"].isin(["train", "test"])].sort_values("alpha", kind="stable")
    assert rows[without.columns].reset_index(drop=True).equals(without)
    assert line_on_subsets(*networks(), POINTS, whole, statistics, {})["split"].unique().tolist() == ["train", "test"]


def test_single_images_by_hand():
    right = np.array(
        [
            [1, 1, 1, 0, 0, 0, 0, 1],  # columns: always right; wrong between; wrong from the middle on; right from the
            [1, 0, 1, 0, 1, 0, 1, 0],  # middle on; right between; never right; only the first wrong; wrong only before
            [1, 1, 0, 1, 1, 0, 1, 1],  # the last
            [1, 1, 0, 1, 0, 0, 1, 1],
        ],
        dtype=bool,
    )
    expected = [True, False, True, True, True, True, True, False]
    assert connected(right).tolist() == expected
    assert connected(right[::-1]).tolist() == expected
    table = table_of([0, 0.2, 0.9, 1], {"train": Outcomes(right, np.ones(right.shape, np.float32))})
    assert table["connected"].tolist() == [6 / 8] * 4
    assert table["error"].tolist() == [4 / 8, 4 / 8, 2 / 8, 3 / 8]


@given(st.lists(st.floats(-5, 5) | st.just(np.nan), min_size=1, max_size=30), st.integers(0, 20))
def test_subsets_are_the_ends_of_the_ranking(scores: list[float], count: int):
    values = np.array(scores)
    ranked = values[~np.isnan(values)]
    if 2 * count > len(ranked):
        with pytest.raises(ValueError, match=f"^images: {count} of the lowest .* than the {len(ranked)} scored"):
            by_score(values, count)
        return
    found = by_score(values, count)
    for rows in found.values():
        assert len(set(rows.tolist())) == count and (np.diff(rows) > 0).all()
    assert sorted(values[found["lowest"]]) == sorted(ranked)[:count]
    assert sorted(values[found["highest"]]) == sorted(ranked)[len(ranked) - count :]
    assert not set(found["lowest"]) & set(found["highest"])


def test_random_ones_are_the_same_whatever_the_scores():
    one, other = (by_score(np.random.default_rng(seed).random(50), 10)["random"] for seed in (0, 1))
    assert one.tolist() == other.tolist()


@given(st.integers(1, 12), st.none() | st.integers(1, 15), st.data())
def test_every_image_is_measured_once_and_found_at_its_place(count: int, drawn: int | None, data: st.DataObject):
    rows = st.lists(st.integers(0, count - 1), unique=True).map(lambda found: np.array(found, int))
    subsets = data.draw(st.dictionaries(st.sampled_from("abc"), rows))
    others, places = _beside(count, drawn, subsets)
    pixels = np.arange(count)
    measured = np.concatenate([sample(Labelled(pixels, pixels), drawn).labels, others])
    assert len(set(measured.tolist())) == len(measured)
    assert {name: measured[places[name]].tolist() for name in subsets} == {k: v.tolist() for k, v in subsets.items()}
