import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.analysis.histograms import bin_edges, score_histograms, weight_histograms


def scores(**columns):
    count = len(next(iter(columns.values())))
    labels = {"label": np.zeros(count, int), "true_label": np.zeros(count, int)}
    return pd.DataFrame({"id": range(count), **labels, **columns, "el2n_epoch3_stderr": 0.0})


def counts(found, score, epoch, images="all"):
    rows = found[(found["score"] == score) & (found["epoch"] == epoch) & (found["images"] == images)]
    return {float(row["low"]): int(row["count"]) for row in rows.to_dict("records") if row["count"]}


def test_every_image_is_counted_once_and_epochs_share_their_bins():
    random = np.random.default_rng(0)
    table = scores(
        el2n_epoch3_mean=random.normal(size=200),
        el2n_epoch9_mean=random.normal(5, size=200),
        random_mean=np.arange(200.0),
    )
    found = score_histograms(table)
    assert found.groupby(["score", "epoch"])["count"].sum().to_dict() == dict.fromkeys(
        [("el2n", 3), ("el2n", 9), ("random", -1)], 200
    )
    three, nine = (found[(found["score"] == "el2n") & (found["epoch"] == epoch)] for epoch in (3, 9))
    np.testing.assert_array_equal(three[["low", "high"]], nine[["low", "high"]])
    assert three.loc[three["count"] > 0, "high"].max() < nine["high"].max()


def test_images_never_learned_and_those_without_a_score_have_bins_of_their_own():
    never = np.array([np.inf, 0.0, 0.5, 1.0, np.inf])
    found = score_histograms(
        scores(forgetting_epoch3_mean=never, forgetting_epoch9_mean=np.array([0, 0, 0, np.nan, 1.0]))
    )
    assert counts(found, "forgetting", 3) == {-0.25: 1, 0.25: 1, 0.75: 1, np.inf: 2}
    nine = found[found["epoch"] == 9]
    assert nine["count"].tolist()[-2:] == [0, 1] and nine["low"].tail(2).isna().tolist() == [False, True]
    alone = score_histograms(scores(el2n_epoch3_mean=np.arange(5.0)))
    assert np.isfinite(alone[["low", "high"]]).all(axis=None)


def test_images_whose_label_was_changed_are_counted_by_themselves():
    table = scores(el2n_epoch3_mean=np.array([0.0, 1, 2, 3]))
    assert set(score_histograms(table)["images"]) == {"all"}
    table["label"] = [0, 1, 0, 1]
    found = score_histograms(table)
    assert set(found["images"]) == {"unchanged", "changed"}
    assert counts(found, "el2n", 3, "unchanged") == {-0.5: 1, 1.5: 1}
    assert counts(found, "el2n", 3, "changed") == {0.5: 1, 2.5: 1}


@given(st.lists(st.floats(-1e3, 1e3), max_size=50).map(np.array))
def test_bins_hold_every_value(values):
    edges = bin_edges(values)
    assert (np.diff(edges) > 0).all()
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_averages_of_few_counts_get_a_bin_each():
    values = np.array([0, 0.2, 0.2, 0.6, 1.0])
    edges = bin_edges(values)
    np.testing.assert_allclose(edges, [-0.1, 0.1, 0.3, 0.5, 0.7, 0.9, 1.1])


def magnitudes(level, before, after, layer="all"):
    rows = [
        (level, moment, layer, low, low + 1, count)
        for moment, counts in {"before": before, "after": after, "retrained": after}.items()
        for low, count in enumerate(counts)
    ]
    return pd.DataFrame(rows, columns=["level", "moment", "layer", "low", "high", "count"])


def test_weights_are_fractions_of_their_own_level_moment_and_layer():
    table = pd.concat(
        [magnitudes("l1", [4, 4], [0, 2]), magnitudes("l1", [9, 1], [3, 1], "conv"), magnitudes("l9", [1, 1], [1, 1])]
    )
    found = weight_histograms(table, pd.Series(["l1"])).set_index(["moment", "low"])
    assert set(found["level"]) == {"l1"}
    assert found["fraction"].to_dict() == {
        ("before", 0): 0.5, ("before", 1): 0.5, ("after", 0): 0, ("after", 1): 1,
        ("retrained", 0): 0, ("retrained", 1): 1,
    }  # fmt: skip
    assert set(found["cut"]) == {0.75}
    conv = weight_histograms(table, pd.Series(["l1"]), "conv")
    assert conv["cut"].tolist() == pytest.approx([0.6] * 6) and conv["fraction"].iloc[0] == 0.9


def test_without_the_weights_before_it_a_cut_is_not_known():
    table = magnitudes("l1", [4, 4], [0, 2])
    found = weight_histograms(table[table["moment"] != "before"], pd.Series(["l1"]))
    assert found["cut"].isna().all() and found["fraction"].tolist() == [0, 1, 0, 1]
