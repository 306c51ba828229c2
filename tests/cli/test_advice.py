"""winnow advice: from the files of a project to one screen, whose lines params.yaml can take."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from ruamel.yaml import YAML

from winnow import recipe
from winnow.cli.main import main
from winnow.comparison.situation import situation
from winnow.cost.sizes import SOURCES
from winnow.datasets.sources.digits import digits
from winnow.experiment import load_params
from winnow.params.base import read_yaml
from winnow.params.download import Download
from winnow.storage import save_json, save_table

PARAMS = Path("params.yaml")
CASES = [
    ("default", ""),
    ("default", "--keep 0.02"),
    ("mnist", ""),
    ("cifar100-resnet50", "--keep 0.02"),
    ("selection-noisy", ""),
    ("selection-teacher", "--keep 0.02"),
    ("cifar10-human-labels", ""),
    ("suspects", "--keep 0.6 --wrong 0.12"),
    ("pool-and-target", "--keep 60 --wrong 0.12"),
]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write("default")


def write(name: str, **sections: dict[str, Any]) -> None:
    PARAMS.write_text(recipe.expanded(name, sections))


def advised(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["advice", *words]) == 0
    return capsys.readouterr().out


def wrong(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    capsys.readouterr()
    assert main(["advice", *words]) == 1
    printed = capsys.readouterr()
    assert not printed.out
    assert printed.err.startswith("error: ") and printed.err.count("\n") == 1
    return printed.err


def plain(text: str) -> str:
    return " ".join(text.split())


def entries(text: str) -> list[str]:
    return re.split(r"\n\n", text)[1:-1]


def head(entry: str) -> tuple[str, float]:
    """The method that an entry names, and the share."""
    found = re.match(r"\d\. +(\S+) at ([\d.]+):", entry)
    assert found
    return found[1], float(found[2])


def named(text: str) -> list[str]:
    return [head(entry)[0] for entry in entries(text)]


def added(entry: str) -> dict[str, Any]:
    """The values that an entry's lines have, by key, read as a user reads them."""
    block = re.search(r"^   add(.*?)^   cost", entry, re.DOTALL | re.MULTILINE)
    assert block
    lines: dict[str, str] = {}
    for line in block[1].splitlines():
        key = re.match(r"(\w+\.\w+(?:\.[\w.-]+)?): ", line.strip())
        if key:
            lines[key[1]] = line.strip().removeprefix(key[0])
        elif lines:  # the line before goes on
            lines[list(lines)[-1]] += f" {line.strip()}"
    return {key: YAML(typ="safe").load(text) for key, text in lines.items()}


def put(lines: dict[str, Any]) -> None:
    """Edit params.yaml as a user does."""
    values = read_yaml(PARAMS)
    for key, value in lines.items():
        section, own, *item = key.split(".", 2)
        if item:
            values[section][own][item[0]] = value
        else:
            values[section][own] = value
    with PARAMS.open("w") as file:
        YAML().dump(values, file)


@pytest.mark.parametrize(("name", "words"), CASES)
def test_one_screen_and_lines_that_params_can_take(name: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    write(name)
    before = PARAMS.read_text()
    text = advised(capsys, *words.split())
    assert max(map(len, text.splitlines())) <= 100
    assert len(text.splitlines()) <= 45
    assert PARAMS.read_text() == before
    assert len(entries(text)) == 3
    for entry in entries(text):
        method, keep = head(entry)
        PARAMS.write_text(before)
        assert re.search(r"^   against +(random|shorter) at ", entry, re.MULTILINE)
        assert re.search(r"^   cost ", entry, re.MULTILINE)
        put(added(entry))
        params = load_params(PARAMS)  # what the stage check does
        if method in params.retrain.visits:
            continue
        subset, _, way = method.partition("+")
        assert subset in [*params.select.methods, *params.sweep.methods]
        assert not way or way in params.retrain.recipes
        assert keep in [*params.select.keep, *params.sweep.keep]
        assert bool(added(entry)) is ("nothing: params.yaml has it" not in entry)


def test_what_has_been_added_is_there_the_next_time(capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        put(added(entries(advised(capsys, "--keep", "0.2"))[number]))
    text = advised(capsys, "--keep", "0.2")
    assert text.count("nothing: params.yaml has it") == 3
    assert "0 more trainings" in text


def test_where_training_time_counts_a_training_may_choose_as_it_goes(capsys: pytest.CaptureFixture[str]) -> None:
    put({"retrain.budget": "epochs"})
    text = advised(capsys, "--keep", "0.1")
    assert named(text)[0] == "rs2" and added(entries(text)[0]) == {"retrain.visits.rs2": {"keep": 0.1}}
    assert "to choose" not in entries(text)[0] and "to train 5 networks, 15 passes" in plain(entries(text)[0])
    put({"retrain.visits.rs2": {"keep": 0.2}})
    entry = entries(advised(capsys, "--keep", "0.1"))[0]
    assert added(entry) == {"retrain.visits.rs2_2": {"method": "rs2", "keep": 0.1}}
    put(added(entry))
    load_params(PARAMS)
    assert "nothing: params.yaml has it" in entries(advised(capsys, "--keep", "0.1"))[0]
    entry = entries(advised(capsys, "--keep", "0.8"))[0]
    assert head(entry) == ("infobatch", 0.7) and added(entry) == {"retrain.visits.infobatch": {}}
    assert "to train 5 networks, 105 passes" in plain(entry) and "against shorter at 0.7" in plain(entry)
    put(added(entry))
    load_params(PARAMS)


def test_names_that_mean_something_else_stay(capsys: pytest.CaptureFixture[str]) -> None:
    put({"select.methods": {"random": {}, "ccs": {"score": "el2n"}}, "sweep.methods": []})
    put({"pruning.levels": {}, "connectivity.matrix": [], "curvature.levels": [], "perturbation.runs": {}})
    text = advised(capsys, "--keep", "0.1")
    assert "ccs_2 at 0.1" in text
    assert "select.methods.ccs_2: {method: ccs, score: el2n, cutoff: 0.3}" in text


def test_a_subset_of_sweep_is_no_news_and_makes_no_clash(capsys: pytest.CaptureFixture[str]) -> None:
    put({"sweep.methods": ["el2n-middle-perclass", "random"], "sweep.keep": [0.2]})
    put({"pruning.levels": {}, "connectivity.matrix": [], "curvature.levels": [], "perturbation.runs": {}})
    text = advised(capsys, "--keep", "0.1")
    put(added(next(entry for entry in entries(text) if "el2n-middle" in entry)))
    load_params(PARAMS)
    put({"sweep.methods": ["el2n-easy", "random"], "sweep.keep": [0.9]})
    entry = entries(advised(capsys, "--wrong", "0.1"))[0]
    assert "el2n-easy at 0.9" in entry and "nothing" in entry
    put({"sweep.methods": ["el2n-perclass", "random"]})
    entry = entries(advised(capsys, "--wrong", "0.1"))[0]
    assert "el2n-easy at 0.89" in entry  # select may not have random at 0.9 too
    put(added(entry))
    load_params(PARAMS)


def test_what_the_stages_left_counts(capsys: pytest.CaptureFixture[str]) -> None:
    write("mnist")
    facts = {"source": "mnist", "class_names": list("ab"), "images": {"train": 9000}}
    save_json("data/images/dataset.json", facts)
    text = plain(advised(capsys))
    assert "9,000 images to train on, 4,500 of each of 2 classes" in text
    assert "el2n at 0.5" in text
    params = load_params(PARAMS)
    save_json("metrics/summary.json", {"full": 0.98})
    assert situation(params).accuracy == 0.98
    save_table("data/labels.parquet", pd.DataFrame({"label": np.repeat([0, 1], [8000, 1000])}))
    assert situation(params).imbalance == 8
    text = advised(capsys)
    assert "the largest class 8 times the smallest" in plain(text)
    assert named(text)[:2] == ["drop", "random-equal"]
    save_json("data/images/dataset.json", {**facts, "source": "digits"})  # those of an earlier params.yaml
    assert situation(params).images == 54000


def test_a_finished_run_gives_seconds_and_a_teacher(capsys: pytest.CaptureFixture[str]) -> None:
    Path(".winnow").mkdir()
    Path(".winnow/times.csv").write_text(
        "stage,ended,seconds,processor_seconds\nearly@a,1,9,1\nretrain_full,1,9,9\nearly@a,2,20,40\nearly@b,2,20,40\n"
        "retrain_full,3,200,300\n"
    )
    for name in ("early/a", "early/b", "retrain/full"):
        Path("data", name).mkdir(parents=True)
    text = advised(capsys, "--keep", "0.1")
    assert named(text)[0] == "random+kd"
    assert "retrain.recipes.kd: {teacher: full, weight: 0.9}" in text
    assert "to train 5 networks, 150 passes and 5 of teachers (about 5 min)" in plain(text)  # 2 seconds a pass
    assert "to choose, 40 passes and 10 without gradients (about 43 s), paid already" in plain(text)
    assert "seconds are of one core, by the last run" in plain(text)


@pytest.mark.parametrize("labels", [{"noise": 0.2}, {"file": "labels.csv", "right": "source"}])
def test_wrong_labels_are_those_that_detection_has_counted(
    labels: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    write("default", labels=labels)
    known = situation(load_params(PARAMS))
    assert known.wrong == pytest.approx(0.18 if "noise" in labels else 0.1)
    rows = [("chance", "", -1, 0.5, 0.07), ("el2n", "in", 4, 0.90, 0.5), ("margin", "in", 4, 0.95, 0.5),
            ("loss", "in", 8, 0.99, 0.5), ("aum", "in", 4, 0.99, 0.5), ("grand", "out", 4, 0.99, 0.5)]  # fmt: skip
    columns = ["detector", "sample", "epoch", "auroc", "average_precision"]
    save_table("plots/detection.csv", pd.DataFrame(rows, columns=columns))
    counted = situation(load_params(PARAMS))
    assert counted.wrong == pytest.approx(0.18 if "noise" in labels else 0.07)
    assert counted.detector == "margin"
    assert named(advised(capsys))[0] == "margin-easy"
    assert situation(load_params(PARAMS), 0.3).wrong == 0.3
    write("default", labels={"file": "labels.csv"})  # a review: its labels are right
    assert situation(load_params(PARAMS)).wrong == 0


def test_scores_before_training_are_no_advice(capsys: pytest.CaptureFixture[str]) -> None:
    put({"select.epoch": 0, "early.features": [0, 4]})
    at = situation(load_params(PARAMS))
    assert (at.epoch, at.features, at.features_epoch) == (8, True, 4)
    text = plain(advised(capsys))
    assert "moderate: {epoch: 4, per_class: true}" in text and "ccs: {score: el2n, epoch: 8, cutoff: 0.3}" in text
    none = {"early": {"epochs": [0], "features": []}, "select": {"epoch": 0}}
    write("suspects", **none)
    assert "early.epochs" in wrong(capsys)


def test_a_mistake_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert "--keep: 1.5" in wrong(capsys, "--keep", "1.5")
    assert "--keep: few" in wrong(capsys, "--keep", "few")
    assert "--keep: nan" in wrong(capsys, "--keep", "nan")
    assert "--keep: 0.001: leaves nothing to choose" in wrong(capsys, "--keep", "0.001")
    assert "--wrong: 2" in wrong(capsys, "--wrong", "2")
    write("selection-clean", select={"keep": [9000]})
    assert "select.keep: 9000: leaves nothing to choose" in wrong(capsys)
    PARAMS.write_text("select: [}")
    assert "params.yaml line 1: not YAML" in wrong(capsys)
    write("default")
    put({"early.epoch": 3})
    assert "params.yaml: early.epoch: no such key" in wrong(capsys)
    PARAMS.unlink()
    assert "params.yaml: no such file; winnow recipe default writes one" in wrong(capsys)


def test_digits_are_as_many_as_the_source_gives() -> None:
    source = digits(Download())
    assert (SOURCES["digits"].train, SOURCES["digits"].classes) == (len(source.train), len(source.class_names))
    params = load_params(PARAMS)
    assert situation(params).images == pytest.approx(1211, abs=5)  # the validation split is drawn class by class
