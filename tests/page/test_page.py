"""The page as text: complete, escaped, the same every time, and made of declared inputs."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tests.page.made_up_page import EVIL, PARAMS, Made, experiment, files
from winnow.page.claims import bar
from winnow.page.compare import of_claims, of_numbers, of_params
from winnow.page.figures import FIGURES, with_others
from winnow.page.page import Experiment, as_json, page
from winnow.page.run import what_was_run
from winnow.page.tables import tables

ROOT = Path(__file__).parents[2]


class Elements(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.fixture(scope="module")
def html() -> str:
    return page(experiment())


def test_what_comes_from_the_data_is_text(html: str) -> None:
    elements = Elements(html).found
    assert not [attrs for _, attrs in elements if any(name.startswith("on") for name in attrs)]
    assert sum(tag == "script" for tag, _ in elements) == html.count("<script")
    assert EVIL not in html
    assert "49" not in re.findall(r"<td>([^<]*)", html)  # {{ 7 * 7 }}


def test_json_in_a_script_cannot_end_it() -> None:
    text = as_json({EVIL: ["<!--", "\u2028", "é"]})
    assert not re.search("[<\u2028]", text)
    assert json.loads(text) == {EVIL: ["<!--", "\u2028", "é"]}


def test_the_same_inputs_give_the_same_bytes(html: str) -> None:
    assert page(experiment()) == html
    assert str(ROOT) not in html


def test_nothing_is_fetched(html: str) -> None:
    addresses = [attrs[name] for _, attrs in Elements(html).found for name in ("src", "href") if name in attrs]
    assert addresses
    assert all(str(address).startswith(("data:", "#")) for address in addresses)


def test_an_experiment_with_nothing_but_params_has_a_page() -> None:
    bare = experiment(Made({"params.yaml": PARAMS.encode()}))
    assert "<h1>" in page(bare)


def test_a_picture_without_an_entry_appears_with_a_plain_title() -> None:
    there = ["plots/pictures/something_new.png", "plots/pictures/reliability.png", "plots/pictures/accuracy.png"]
    assert [figure.title for figure in with_others(there)] == [
        "Test accuracy against the fraction of images kept", "Do scores of different seeds agree?", "Something new",
    ]  # fmt: skip


def test_every_figure_is_explained_in_one_sentence() -> None:
    assert len({figure.file for figure in FIGURES}) == len(FIGURES)
    for figure in FIGURES:
        assert re.fullmatch(r"[^.]+\.", figure.reading.replace("0.", "")), figure.reading


def test_the_stage_declares_all_tables_that_figures_take_numbers_from() -> None:
    deps = YAML(typ="safe").load((ROOT / "dvc.yaml").read_text())["stages"]["report"]["deps"]
    for figure in FIGURES:
        if figure.value:
            assert any(figure.data == dep or figure.data.startswith(f"{dep}/") for dep in deps), figure.data


def test_tables_of_plots_appear_all_and_as_text() -> None:
    found = {table["file"]: table for table in tables(files())}
    assert list(found) == ["plots/differences.csv", "plots/accuracy.csv", "plots/tickets/results.csv", "plots/mine.csv"]
    mine = found["plots/mine.csv"]
    assert mine["rows"] == [[EVIL, "10", "yes"], [EVIL, "9", "yes"], [EVIL, "1e-07", "yes"], [EVIL, "1e+300", "yes"]]
    assert [column["numeric"] for column in mine["columns"]] == [False, True, False]


def test_what_was_run_names_data_networks_sizes_and_seeds() -> None:
    params = YAML(typ="safe").load(PARAMS)
    facts = {"source": "digits", "class_names": ["a", "b"], "images": {"train": 1200, "test": 5}}
    rows = dict(what_was_run(params, facts, (1200, 1, 8, 9)))
    assert rows["Data"] == "digits: 1,200 train and 5 test images of 8 x 9 pixels and 1 channel, in 2 classes"
    assert rows["Labels"] == "drawn at random for 25% of the images"
    assert rows["Scoring networks"] == (
        "convnet, width 4, trained for 6 epochs in batches of 32; seeds 0 to 2; scored at epochs 0 and 4"
    )
    assert "seeds 7 and 9" in rows["Retrained networks"]
    assert "Copies" not in rows
    facts["repeated"] = {"images": 4, "other_labels": 2, "test": 1}
    assert dict(what_was_run(params, facts, (1200, 1, 8, 9)))["Copies"] == (
        "4 images are there more than once (with a copy of another label: 2; test images with a copy in another split: "
        "1); data/images/repeated.csv lists them"
    )


def test_a_bar_spans_zero_and_the_interval() -> None:
    assert bar(None, None, None) is None
    assert bar(1.0, 0.5, 2.0) == {"zero": 6, "effect": 50, "low": 28, "high": 94}
    assert bar(-1.0, None, None) == {"zero": 94, "effect": 6, "low": 6, "high": 6}
    assert bar(0.0, 0.0, 0.0) == {"zero": 6, "effect": 6, "low": 6, "high": 6}


def test_two_experiments_beside_each_other() -> None:
    assert of_numbers({"full": 0.98, "el2n": 0.5}, {"full": 0.9, "auroc": 1}) == [
        ("full", "0.98", "0.9", "+0.08"), ("el2n", "0.5", "—", "—"), ("auroc", "—", "1", "—"),
    ]  # fmt: skip
    here = {"early": {"epochs": [0, 4], "cohorts": {"a": [1]}}, "x": 1}
    there = {"early": {"epochs": [0, 8], "cohorts": {"b": [1]}}, "x": 1}
    assert of_params(here, there) == [
        ("early.epochs", "[0, 4]", "[0, 8]"), ("early.cohorts.a", "[1]", "—"), ("early.cohorts.b", "—", "[1]"),
    ]  # fmt: skip
    both = of_claims({"D1": {"statement": "s", "verdict": "holds", "why": "w"}}, {})
    assert both == [{"name": "D1", "statement": "s", "verdicts": ["holds", "—"], "why": ["w", "—"]}]


def test_the_page_of_two_says_what_the_other_lacks() -> None:
    other = files()
    del other["plots/pictures/accuracy.png"], other["plots/accuracy.csv"]
    html = page(experiment(), {"main": other})
    assert "main lacks: plots/accuracy.csv, plots/pictures/accuracy.png." in html
    assert "main does not have this picture." in html


def test_many_images_and_pictures_stay_under_5_mb() -> None:
    made = experiment(count=4000)
    assert isinstance(made, Experiment)
    assert len(page(made).encode()) < 5e6
