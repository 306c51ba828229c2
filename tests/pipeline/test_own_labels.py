"""The user's labels are an input: a change of their file is seen, wherever it lies, and what follows from it runs."""

import csv
import re
from pathlib import Path

import pytest

from tests.pipeline.clone import Clone
from winnow.storage import load_json, load_table

pytestmark = pytest.mark.pipeline

LIST = "data/scores/suspects.csv"


def test_suspects_that_are_reviewed_and_saved_are_what_the_next_run_trains_on(clone: Clone) -> None:
    mine, before = clone.path("labels.csv"), clone.files("data/labels.parquet")
    mine.write_text(clone.path(LIST).read_text())
    clone.set("labels.file", "labels.csv")
    assert set(clone.make()) == {"labels", "claims", "report"}  # nothing is corrected yet
    assert clone.files("data/labels.parquet") == before

    rows = list(csv.DictReader(mine.open()))
    corrected = rows[3]["id"]
    assert rows[3]["label"] == rows[3]["given"] == rows[3]["original"]
    given, rows[3]["label"] = rows[3]["given"], "8" if rows[3]["given"] == "9" else "9"
    with mine.open("w") as file:
        writer = csv.DictWriter(file, rows[3])
        writer.writeheader()
        writer.writerows(rows)
    of_cohorts = {"early@a", "early@b", "score_gradients@a-grand", "score_gradients@b-grand", "transfer@other"}
    ran = clone.make("score", "retrain_full", "dense")
    assert set(ran) == {*of_cohorts, "labels", "score", "retrain_full", "dense"}
    table = load_table(clone.path("data/labels.parquet")).set_index("id")
    changed = table[table["label"] != table["original_label"]]
    assert changed.index.tolist() == [corrected]
    assert (changed["label"] == changed["true_label"]).all()
    assert changed[["original_label", "class"]].astype(str).to_numpy().tolist() == [[given, rows[3]["label"]]]

    # the next round goes below the first, whose corrections stay
    suspect = next((row for row in csv.DictReader(clone.path(LIST).open()) if row["id"] == corrected), None)
    assert suspect is None or [suspect[name] for name in ("given", "original")] == [rows[3]["label"], given]
    with mine.open("a") as file:
        file.writelines(clone.path(LIST).read_text().splitlines(keepends=True)[1:])
    assert clone.make("score") == ["labels"]

    clone.set("labels.file", None)
    assert clone.make("labels") == []  # from the cache
    assert clone.files("data/labels.parquet") == before


def test_a_file_outside_the_project_is_seen_to_change(clone: Clone, tmp_path: Path) -> None:
    image = load_table(clone.path("data/labels.parquet"))["id"][7]
    file = tmp_path / "labels.csv"
    for round, (digit, ran) in enumerate((("4", ["labels"]), ("5", ["labels"]))):
        file.write_text(f"id,mine,yours\n{image},,{digit}\n")
        if not round:
            clone.set("labels.file", "../labels.csv")
            clone.set("labels.column", "yours")
        else:
            assert re.search(r"^\t\tmodified: .*labels\.csv/?$", clone.do("dvc", "status", "labels"), re.MULTILINE)
        assert clone.repro("labels") == ran
        assert load_table(clone.path("data/labels.parquet"))["class"][7] == digit
    assert clone.repro("labels") == []


def test_a_list_that_the_pipeline_writes_is_no_input(new: Clone, tmp_path: Path) -> None:
    """DVC alone would say that its graph has a cycle."""
    clone = new.copy(tmp_path / "clone")
    clone.set("labels.file", LIST)
    done = clone.run("python", "-m", "winnow.repro")
    assert done.returncode != 0
    assert done.stdout.strip() == (
        f"error: params.yaml: labels.file: {LIST}: the pipeline writes data/ itself: copy it, such as to labels.csv"
    )


def test_a_label_of_an_image_that_a_long_tail_leaves_out_is_no_mistake(new: Clone, tmp_path: Path) -> None:
    clone = new.copy(tmp_path / "clone")
    clone.set("download.first", None)
    clone.repro("labels")
    whole = set(load_table(clone.path("data/labels.parquet"))["id"])
    clone.set("download.long_tail", 5)
    clone.repro("labels")
    kept = load_table(clone.path("data/labels.parquet"))
    assert load_json(clone.path("data/images/dataset.json"))["long_tail"] == 5
    lost, stays = min(whole - set(kept["id"])), kept["id"][0]
    clone.path("labels.csv").write_text(f"id,label\n{lost},4\n{stays},4\n")
    clone.set("labels.file", "labels.csv")
    assert clone.repro("labels") == ["labels"]
    assert load_table(clone.path("data/labels.parquet"))["class"][0] == "4"
