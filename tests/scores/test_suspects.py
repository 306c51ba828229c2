import numpy as np
import pandas as pd
import pytest

import winnow.scores.suspects
from winnow.scores.suspects import has_noise, predicted_labels, suspects

NAMES = ["cat", "dog", "eel"]


def table(original: list[int] | None = None) -> pd.DataFrame:
    labels = [0, 1, 2, 0]
    return pd.DataFrame(
        {
            "id": ["a", "b", "c", "d"],
            "position": [7, 3, 9, 1],
            "label": labels,
            "original_label": original or labels,
            "true_label": original or labels,
            "el2n_epoch4_mean": np.array([0.2, 1.3, 0.7, 1.3], np.float32),
            "el2n_epoch4_stderr": np.array([0.1, 0.2, 0.3, 0.4], np.float32),
            "loss_epoch4_mean": [0.1, 0.2, 0.3, np.inf],
        }
    )


def test_the_highest_el2n_comes_first_and_ties_stay_in_order():
    found = suspects(table(), np.array([0, 2, 2, 1]), NAMES, epoch=4, count=3)
    assert found["rank"].tolist() == [1, 2, 3]
    assert found["id"].tolist() == ["b", "d", "c"]
    assert found["position"].tolist() == [3, 1, 9]
    assert found["given"].tolist() == ["dog", "cat", "eel"]
    assert found["predicted"].tolist() == ["eel", "dog", "eel"]
    assert found["el2n"].tolist() == pytest.approx([1.3, 1.3, 0.7])
    assert found["stderr"].tolist() == pytest.approx([0.2, 0.4, 0.3])


def test_more_suspects_than_images_are_all_images():
    assert len(suspects(table(), np.zeros(4, int), NAMES, epoch=4, count=50)) == 4


def test_the_label_to_correct_begins_as_the_given_one_beside_the_sources_own():
    noisy = table(original=[0, 1, 2, 2])
    assert has_noise(noisy)
    assert not has_noise(table())
    found = suspects(noisy, np.zeros(4, int), NAMES, epoch=4, count=4)
    assert found["original"].tolist() == ["dog", "eel", "eel", "cat"]
    assert found["label"].tolist() == found["given"].tolist() == ["dog", "cat", "eel", "cat"]


def test_the_columns_are_the_same_whatever_the_labels_so_that_lists_can_be_put_together():
    lists = [suspects(images, np.zeros(4, int), NAMES, epoch=4, count=4) for images in (table(), table([0, 1, 2, 2]))]
    assert lists[0].columns.tolist() == lists[1].columns.tolist()


def test_predictions_are_those_of_the_mean_probability(monkeypatch):
    """Two networks lean to class 0 a little, one is sure of class 1: the mean says 1."""
    with np.errstate(divide="ignore"):
        outputs = np.log([[p, [0.1, 0.2, 0.7]] for p in ([0.5, 0.4, 0.1], [0.5, 0.4, 0.1], [0.1, 0.9, 0])])
    assert predicted_labels(outputs).tolist() == [1, 2]
    assert predicted_labels(outputs[:2]).tolist() == [0, 2]
    monkeypatch.setattr(winnow.scores.suspects, "AT_ONCE", 1)  # an image at a time
    assert predicted_labels(outputs).tolist() == [1, 2]
