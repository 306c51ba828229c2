"""Charts that answer the pointer."""

import json

import pytest
import vl_convert

from tests.page.made_up_page import EVIL, Made, files
from winnow.page import charts

ALL = (charts.accuracy, charts.tickets, charts.detection, charts.effects)


@pytest.mark.parametrize("make", ALL)
@pytest.mark.parametrize("others", [(), ("main",)])
def test_vega_lite_takes_every_chart(make, others) -> None:
    drawn = make({"this": files(), **{name: files() for name in others}})
    assert drawn
    for chart in drawn:
        text = json.dumps(chart["spec"], allow_nan=False)
        assert vl_convert.vegalite_to_vega(json.loads(text))["marks"]
        assert {line["name"] for line in chart["series"]} == {
            row["series"] for rows in chart["spec"]["datasets"].values() for row in rows
        }


@pytest.mark.parametrize("make", ALL)
def test_without_data_there_is_no_chart(make) -> None:
    assert make({"this": Made()}) == []


def test_accuracy_has_every_seed_and_the_means_by_hand() -> None:
    (chart,) = charts.accuracy({"this": files()})
    data = chart["spec"]["datasets"]
    assert len(data["points"]) == 3 * 2 * 2  # methods, fractions, seeds, of the test split
    means = {(row["series"], row["x"]): row["mean"] for row in data["means"]}
    assert means["el2n", 50.0] == pytest.approx(90.8)
    assert means[EVIL, 10.0] == pytest.approx(60.8)
    assert [row["mean"] for row in data["level"]] == [pytest.approx(90.8)]


def test_two_experiments_share_a_chart_and_differ_in_dashes() -> None:
    (chart,) = charts.accuracy({"this": files(), "main": files()})
    assert {row["run"] for row in chart["spec"]["datasets"]["means"]} == {"this", "main"}
    dashes = [layer["encoding"]["strokeDash"] for layer in chart["spec"]["layer"] if "strokeDash" in layer["encoding"]]
    assert dashes
    assert all(each["field"] == "run" and each["scale"]["domain"] == ["this", "main"] for each in dashes)


def test_effects_of_different_units_are_different_charts() -> None:
    made = files()
    found = json.loads(made["metrics/claims.json"])
    found["D1"]["unit"] = "rank correlation"
    made["metrics/claims.json"] = json.dumps(found).encode()
    shown = [[row["claim"] for row in chart["spec"]["datasets"]["rows"]] for chart in charts.effects({"this": made})]
    assert shown == [["D1"], ["D2", "D10"]]
