import numpy as np
import pandas as pd

import winnow
from winnow.selection.files import load_subset, save_subset
from winnow.storage import save_table

IMAGES = pd.DataFrame({"id": ["train/é/1", "b"], "position": [4, 17], "label": [0, 1], "el2n_epoch4_mean": [0.1, 0.2]})
PROVENANCE = {"source": "digits", "method": "el2n", "keep": 0.5, "epoch": 4, "seed": 0, "of_images": 4}


def test_a_subset_comes_back_with_its_provenance(tmp_path):
    save_subset(tmp_path / "s.parquet", IMAGES, PROVENANCE)
    subset = load_subset(tmp_path / "s.parquet")
    assert subset.ids.tolist() == ["train/é/1", "b"]
    assert subset.positions.tolist() == [4, 17]
    assert subset.positions.dtype == np.int64
    assert subset.provenance == PROVENANCE
    assert len(subset) == 2


def test_users_load_it_from_the_package(tmp_path):
    save_subset(tmp_path / "s.parquet", IMAGES, PROVENANCE)
    assert winnow.load_subset(str(tmp_path / "s.parquet")).ids.tolist() == ["train/é/1", "b"]


def test_the_same_subset_has_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        save_subset(tmp_path / f"{name}.parquet", IMAGES, PROVENANCE)
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "other.parquet").read_bytes()


def test_what_is_no_subset_is_told(tmp_path, user_error):
    save_table(tmp_path / "t.parquet", IMAGES[["id", "label"]])
    with user_error(tmp_path / "t.parquet", "not a subset: needs the columns id and position, has id, label"):
        load_subset(tmp_path / "t.parquet")
    with user_error(tmp_path / "none.parquet", "no such file"):
        load_subset(tmp_path / "none.parquet")
    (tmp_path / "text.parquet").write_text("id,position\na,1\n")
    with user_error(tmp_path / "text.parquet", "not a readable table"):
        load_subset(tmp_path / "text.parquet")
    save_table(tmp_path / "t.csv", IMAGES)
    with user_error(tmp_path / "t.csv", "not a readable parquet table"):
        load_subset(tmp_path / "t.csv")


def test_weights_come_back_with_it(tmp_path):
    save_subset(tmp_path / "s.parquet", IMAGES, PROVENANCE, np.array([0.5, 1.5]))
    weights = load_subset(tmp_path / "s.parquet").weights
    assert weights is not None
    assert (weights.dtype, weights.tolist()) == (np.float32, [0.5, 1.5])
    save_subset(tmp_path / "s.parquet", IMAGES, PROVENANCE)
    assert load_subset(tmp_path / "s.parquet").weights is None
