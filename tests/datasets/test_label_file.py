import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from winnow.datasets.label_file import Row, marked, read_labels, relabel

IDS = ["train/a.png", "train/b.png", "train/c.png", "train/d.png", "train/e.png"]
LABELS = np.array([0, 1, 2, 0, 1])
NAMES = ["cat", "dog", "eel"]


def rows(path, column="label"):
    return [tuple(row) for row in read_labels(path, column)]


def csv_file(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def parquet_file(tmp_path, **columns):
    path = tmp_path / "labels.parquet"
    pq.write_table(pa.table(columns), path)
    return path


# Reading


def test_a_csv_gives_lines_ids_and_the_text_of_the_labels(tmp_path):
    path = csv_file(tmp_path, 'id,note,label,ann\nx,"a, b",01,dog\n\n0012,,,NA\n"y,z","two\nlines",cat,\n')
    assert rows(path) == [("line 2", "x", "01"), ("line 4", "0012", ""), ("line 6", "y,z", "cat")]
    assert [label for *_, label in rows(path, "ann")] == ["dog", "NA", ""], "which pandas would take for no label"


def test_what_spreadsheets_write_is_read_too(tmp_path):
    path = csv_file(tmp_path, "id,label\r\nx,Käse\r\n", "utf-8-sig")
    assert rows(path) == [("line 2", "x", "Käse")]


def test_a_parquet_gives_rows_of_names_or_numbers(tmp_path):
    path = parquet_file(tmp_path, id=["x", "y", "z"], label=["dog", None, "cat"], a=[1, 2, 0], b=[1.0, None, np.nan])
    assert rows(path) == [("row 0", "x", "dog"), ("row 1", "y", ""), ("row 2", "z", "cat")]
    assert [label for *_, label in rows(path, "a")] == ["1", "2", "0"]
    assert [label for *_, label in rows(path, "b")] == ["1.0", "", ""]


def test_paths_below_train_are_ids_where_there_is_no_column_id(tmp_path):
    assert rows(csv_file(tmp_path, "path,label\ncat/1.png,dog\n")) == [("line 2", "train/cat/1.png", "dog")]
    assert rows(parquet_file(tmp_path, path=["cat/1.png"], label=[1])) == [("row 0", "train/cat/1.png", "1")]
    assert rows(csv_file(tmp_path, "path,id,label\ncat/1.png,x,dog\n")) == [("line 2", "x", "dog")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must have one column 'id'; it has $"),
        ("id;label\nx;dog\n", "must have one column 'id', and commas between the columns; it has id;label"),
        ("id,lable\nx,dog\n", "must have one column 'label'; it has id, lable"),
        ("id,label,label\nx,dog,cat\n", "must have one column 'label'"),
        ("id,label\nx,dog\ny\n", "line 3: must have 2 fields, as the first, not 1"),
        ("id,label\nx,dog,\n", "line 2: must have 2 fields, as the first, not 3"),
        ('id,label\nx,"dog\n', "line 2: is not csv"),
    ],
)
def test_a_csv_that_is_none(tmp_path, text, message):
    with pytest.raises(ValueError, match=message):
        rows(csv_file(tmp_path, text))


def test_a_csv_in_another_encoding(tmp_path):
    with pytest.raises(ValueError, match="is not text in UTF-8"):
        rows(csv_file(tmp_path, "id,label\nx,Käse\n", "latin-1"))


def test_a_parquet_that_is_none(tmp_path):
    path = tmp_path / "labels.parquet"
    path.write_text("id,label\nx,dog\n")
    with pytest.raises(ValueError, match="is not a readable parquet file"):
        rows(path)
    with pytest.raises(ValueError, match="must have one column 'worst'"):
        rows(parquet_file(tmp_path, id=["x"], label=["dog"]), "worst")


def test_the_labels_that_people_gave_to_cifar10_are_as_wrong_as_their_authors_say():
    """Wei et al., "Learning with noisy labels revisited", ICLR 2022, in percent."""
    default = Path(__file__).parents[2] / "../shared/data/cifar10"
    path = Path(os.environ.get("WINNOW_CIFAR10", default)).resolve() / "human_labels.parquet"
    if not path.exists():
        pytest.skip(f"no {path}; set WINNOW_CIFAR10 to a folder with human_labels.parquet")
    names = sorted(["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"])
    ids = [name for _, name, _ in read_labels(path, "label")]
    own = np.array([names.index(name.split("/")[1]) for name in ids])
    wrong = {"aggregate": 9.0, "annotator1": 17.2, "annotator2": 18.1, "annotator3": 17.6, "worst": 40.2, "label": 0}
    for column, percent in wrong.items():
        given = relabel(own, ids, read_labels(path, column), names, ())
        assert 100 * (given != own).mean() == pytest.approx(percent, abs=0.05)


# Joining


def of(*pairs):
    return [Row(f"line {line}", *pair) for line, pair in enumerate(pairs, start=2)]


def joined(*pairs, names=NAMES, others=()):
    return relabel(LABELS, IDS, of(*pairs), names, others).tolist()


def test_images_with_a_row_get_its_label_and_the_others_keep_theirs():
    assert joined(("train/b.png", "eel"), ("train/a.png", "dog"), ("train/c.png", "")) == [1, 2, 2, 0, 1]
    assert LABELS.tolist() == [0, 1, 2, 0, 1]


def test_numbers_count_the_classes_from_0():
    assert joined(("train/b.png", "2"), ("train/a.png", "1.0"), ("train/d.png", "cat")) == [1, 2, 2, 0, 1]


def test_where_a_class_has_a_number_for_its_name_labels_are_names():
    """Else a 1 could mean the first class or the second."""
    assert joined(("train/b.png", "3"), names=["1", "2", "3"]) == [0, 2, 2, 0, 1]
    assert joined(("train/b.png", "3.0"), names=["1", "2", "3"]) == [0, 2, 2, 0, 1]
    for names in (["1", "2", "3"], ["1.0", "1.5", "none"], ["01", "02", "03"]):
        with pytest.raises(ValueError, match="line 2: there is no class '0'; there are"):
            joined(("train/b.png", "0"), names=names)


@given(st.lists(st.integers(0, 4), min_size=5, max_size=60), st.data())
def test_all_labels_in_a_file_come_back_in_any_order_by_name_and_by_number(labels, data):
    labels = np.array([0, 1, 2, 3, 4, *labels])
    ids = [f"train/{image}" for image in range(len(labels))]
    names = ["ant", "bee", "cat", "dog", "eel"]
    order = data.draw(st.permutations(range(len(labels))))
    for texts in (names, ["0", "1", "2", "3", "4"]):
        pairs = of(*((ids[image], texts[labels[image]]) for image in order))
        before = np.arange(len(labels)) % 5
        assert relabel(before, ids, pairs, names, ()).tolist() == labels.tolist()


def test_an_unknown_id_names_its_line_and_what_ids_are_like():
    with pytest.raises(
        ValueError, match=r"line 3: no training image has the id 'b\.png'; ids are such as 'train/a\.png'"
    ):
        joined(("train/b.png", "eel"), ("b.png", "eel"))
    with pytest.raises(ValueError, match="line 2: no training image has the id ''"):
        joined(("", ""))


def test_rows_of_other_images_change_nothing():
    assert joined(("train/held.png", "eel"), ("train/b.png", "eel"), others={"train/held.png"}) == [0, 2, 2, 0, 1]
    assert joined(("train/beyond.png", "eel"), ("train/b.png", "eel"), others=None) == [0, 2, 2, 0, 1]


@pytest.mark.parametrize("others", [None, {"train/held.png"}])
def test_a_file_of_other_images_only_is_a_mistake(others):
    with pytest.raises(ValueError, match=r"has no row of a training image; their ids are such as 'train/a\.png'"):
        joined(("train/held.png", "eel"), others=others)


def test_an_unknown_class_names_its_line_and_the_classes():
    for text in ("egl", "3", "-1", "1.5", "Cat", "cat "):
        with pytest.raises(ValueError, match=f"line 2: there is no class '{text}'; there are cat, dog, eel$"):
            joined(("train/b.png", text))
    with pytest.raises(ValueError, match="line 2: there is no class 'egl'"):
        joined(("train/held.png", "egl"), others={"train/held.png"})


def test_of_many_classes_the_first_are_named():
    names = [f"c{number}" for number in range(21)]
    with pytest.raises(ValueError, match=r"there are c0, .*, c19, …$"):
        joined(("train/b.png", "egl"), names=names)


def test_two_labels_for_one_image_name_both_lines():
    twice = [("train/b.png", "eel"), ("train/a.png", "dog"), ("train/b.png", ""), ("train/b.png", "2")]
    assert joined(*twice) == [1, 2, 2, 0, 1], "the same label twice is one label"
    with pytest.raises(
        ValueError, match=r"line 6: 'train/b\.png' is 'eel' on line 5, and 'dog' here; give it one label"
    ):
        joined(*twice, ("train/b.png", "dog"))


def test_a_class_without_an_image_is_named():
    with pytest.raises(ValueError, match="leaves 'eel' a class with no image to train on"):
        joined(("train/c.png", "dog"))


def test_which_images_a_column_marks():
    texts = ["1", "0", "true", "", "False", "1.0"]
    rows = [Row(f"line {i}", f"train/{i}", text) for i, text in enumerate(texts)]
    ids = ["train/5", "train/0", "train/1", "train/2", "train/9"]
    assert marked(ids, [*rows, Row("line 8", "elsewhere", "1")]).tolist() == [True, True, False, True, False]
    with pytest.raises(ValueError, match="line 0: must be 1 or 0, true or false, not 'yes'"):
        marked(ids, [Row("line 0", "train/0", "yes")])
    with pytest.raises(ValueError, match="marks 0 of the 1 training images"):
        marked(["train/1"], rows)
    with pytest.raises(ValueError, match="marks 1 of the 1 training images"):
        marked(["train/0"], rows)
