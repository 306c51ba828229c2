"""Images that are there more than once: by hand, against a loop over all pairs, and as files."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from tests.datasets.pictures import picture, write_folder
from winnow.datasets.build import build
from winnow.datasets.images import SPLITS, Dataset, Images
from winnow.datasets.repeated import counts, in_words, repeated
from winnow.params.download import Download


def dataset(**values: list[tuple[int, int]]) -> Dataset:
    """Images of one colour and a label, by split."""
    splits = {}
    for split in SPLITS:
        pairs = np.array(values.get(split, []), np.int64).reshape(-1, 2)
        pixels = np.broadcast_to(pairs[:, 0, None, None, None].astype(np.uint8), (len(pairs), 3, 2, 2))
        ids = np.array([f"{split}-{row}" for row in range(len(pairs))], str)
        splits[split] = Images(pixels, pairs[:, 1], ids, np.arange(len(pairs)))
    return Dataset(splits, ["cat", "dog"], [0.5] * 3, [0.2] * 3)


def test_copies_by_hand():
    """5 is there three times, under two labels, and in the test set; 7 twice with one label; 9 once."""
    found = repeated(dataset(train=[(9, 0), (7, 1), (5, 0), (7, 1)], validation=[(5, 1)], test=[(5, 0), (3, 0)]))
    expected = pd.DataFrame(
        [
            (0, "train-1", "train", "dog"),
            (0, "train-3", "train", "dog"),
            (1, "train-2", "train", "cat"),
            (1, "validation-0", "validation", "dog"),
            (1, "test-0", "test", "cat"),
        ],
        columns=["group", "id", "split", "label"],
    )
    pd.testing.assert_frame_equal(found, expected, check_dtype=False)
    assert counts(found) == {"images": 5, "other_labels": 3, "test": 1}
    assert in_words(counts(found)) == (
        "5 images are there more than once (with a copy of another label: 3; "
        "test images with a copy in another split: 1)"
    )


def test_copies_within_the_test_images_are_not_in_training():
    assert counts(repeated(dataset(train=[(1, 0)], test=[(2, 0), (2, 0)]))) == {
        "images": 2,
        "other_labels": 0,
        "test": 0,
    }


def test_nothing_is_said_where_no_image_is_repeated():
    found = repeated(dataset(train=[(1, 0), (2, 1)], test=[(3, 0)]))
    assert list(found) == ["group", "id", "split", "label"]
    assert counts(found) == {"images": 0, "other_labels": 0, "test": 0}
    assert in_words(counts(found)) == in_words({}) == ""


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1), st.sampled_from(SPLITS)), max_size=25))
def test_they_are_those_of_a_loop_over_all_pairs(rows):
    by_split = {split: [(colour, label) for colour, label, own in rows if own == split] for split in SPLITS}
    every = [(f"{split}-{row}", *pair) for split in SPLITS for row, pair in enumerate(by_split[split])]
    copies = {one[0]: {other[0] for other in every if other[1] == one[1]} for one in every}
    found = repeated(dataset(**by_split))
    assert sorted(found["id"]) == sorted(name for name, group in copies.items() if len(group) > 1)
    for _, group in found.groupby("group"):
        assert set(group["id"]) == copies[group["id"].iloc[0]]
    labels = {name: label for name, _, label in every}
    others = [name for name, group in copies.items() if len({labels[other] for other in group}) > 1]
    assert counts(found)["other_labels"] == len(others)


def test_files_that_stay_encoded_are_told_by_their_bytes(tmp_path):
    """Pixels and files give the same table."""
    files = {f"{split}/{name}/{number}.png": picture(number) for split in ("train", "test")
             for name, first in (("cat", 0), ("dog", 30)) for number in range(first, first + 8)}  # fmt: skip
    files["train/dog/again.png"] = picture(3)
    folder = write_folder(tmp_path, files)
    tables = [
        repeated(build(Download(source="image_folder", path=str(folder), keep=keep, validation=0.3)))
        for keep in ("pixels", "encoded")
    ]
    pd.testing.assert_frame_equal(*tables)
    assert counts(tables[0]) == {"images": 33, "other_labels": 3, "test": 16}
    assert tables[0]["group"].nunique() == 16
