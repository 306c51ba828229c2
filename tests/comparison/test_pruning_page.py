import re

import numpy as np
import pandas as pd
import pytest

from tests.analysis.test_pruned import made_up
from winnow.comparison.pruning.write import write

LATENCY = pd.DataFrame(
    [("s", "good", 0.1, "good_10", 128, 2.0, 5.0, 1000, 4000)],
    columns=["setting", "method", "density", "level", "batch", "milliseconds", "dense_milliseconds", "bytes",
             "dense_bytes"],
)  # fmt: skip


MEASURES = ["error", "corrupted_error", "noise", "blur", "contrast", "jpeg", "calibration_error", "worst_class_error",
            "agreement", "cka"]  # fmt: skip
BEYOND = pd.DataFrame(
    [("s", method, density, *(number / 100 + shift for number in range(10)))
     for method, density, shift in (("dense", 1.0, 0.1), ("good", 0.1, 0.2), ("bad", 0.1, 0.3), ("bad", 0.3, 0.5))],
    columns=["setting", "method", "density", *MEASURES],
)  # fmt: skip


def test_the_page_says_which_pruning_and_which_checks_it_passes(tmp_path) -> None:
    text = write(tmp_path, made_up(), LATENCY, BEYOND, {"s": "Made up."}).read_text()
    assert "- **s**: Made up.\n" in text
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines() if line.startswith("| s |")]
    regimes, (fast,) = rows[:-1], rows[-1:]
    assert [row[1:3] for row in regimes] == [
        ["pruned after training, at once", "30%"],
        ["pruned after training, at once", "10%"],
        ["pruned after training, cut by cut", "30%"],
        ["pruned after training, cut by cut", "10%"],
    ]
    first, others, cheapest, blind = regimes[0][3:]
    assert first.startswith("same, -")
    assert (others, cheapest) == ("none", "same, 2 trainings")
    assert blind == first  # bad looks at images
    assert "| same |  | " not in text
    assert "| good | 2, 0, 0 |  | 2, 0, 0 | better than shuffled and inverted everywhere |" in text
    assert "| same | 0, 2, 0 |  |  | never better than its own shuffled mask |" in text
    assert fast[1:3] == ["good", "10%"]
    assert fast[5:] == ["128", "2.0", "5.0", "2.50", "1", "4"]
    assert "| dense | 10.0 | 11.0 | 12.0 | 13.0 | 14.0 | 15.0 | 16.0 | 17.0 | 18.0 | 0.19 |" in text
    assert "| bad | 30.0 |" in text  # at the middle of the densities
    pictures = {"accuracy.png", "checks.png", "cost.png", "critical_difference.png"}
    assert {path.name for path in tmp_path.glob("*.png")} == pictures
    assert set(re.findall(r"\((\w+\.png)\)", text)) == pictures
    assert "Without a rank" not in text
    assert "do not count" not in text
    # the means of good are the best, those of bad the cheapest; same has a cost between
    assert "- s, 30% left: bad, same and good\n" in text
    assert "| good | pruned after training, cut by cut | 5 | 3.25, 65% | 2.75, 55% |" in text
    assert "| bad | pruned after training, at once | 2 | 0.60, 30% | 0.20, 10% |" in text


def test_without_checks_and_channels_the_page_has_neither(tmp_path) -> None:
    table = made_up()
    text = write(tmp_path, table[table["check"] == ""], pd.DataFrame(), BEYOND, {"s": "x"}).read_text()
    assert "checks.png" not in text
    assert "Smaller networks" not in text
    assert "before_after.png" not in text  # too few methods
    assert "error right after the cut tell" not in text


def test_a_ticket_that_is_worse_than_its_check_is_called_so(tmp_path) -> None:
    table = made_up()
    swapped = table["method"].eq("good") & table["check"].isin(["", "shuffled"])
    worse = table.assign(check=table["check"].where(~swapped, table["check"].map({"": "shuffled", "shuffled": ""})))
    text = write(tmp_path, worse, LATENCY, BEYOND, {"s": "x"}).read_text()
    # still better than the inverted ones
    assert "| good | 0, 0, 2 |  | 2, 0, 0 | never better than its own shuffled mask |" in text
    verdicts = pd.read_csv(tmp_path / "checks.csv").query("method == 'good'").groupby("check")["verdict"].unique()
    assert verdicts["shuffled"].tolist() == ["worse"]
    assert verdicts["inverted"].tolist() == ["better"]


def test_methods_without_a_rank_are_named_with_the_reason(tmp_path) -> None:
    table = made_up()
    pattern = table[table["method"].eq("same") & table["density"].eq(0.3)].assign(density=0.5, method="pattern")
    lacking = table[~(table["method"].eq("bad") & table["density"].eq(0.1) & table["seed"].lt(2))]
    text = write(tmp_path, pd.concat([lacking, pattern]), LATENCY, BEYOND, {"s": "x"}).read_text()
    assert "The ranks are means over 10 blocks" in text  # of 12, without those that bad lacks
    assert "Without a rank, as they have networks in too few of the 18 blocks: pattern (6)." in text
    assert "8 blocks do not count, as a method with a rank has no network there." in text


@pytest.mark.parametrize(
    ("shift", "short", "counted"),
    [
        (1, "says something", "In 2 of 2 cases it says something of the methods' order."),
        (-1, "says the reverse", "In 0 of 2 cases it says something of the methods' order, and in 2 the reverse."),
        (0, "not told apart from 0", "In 0 of 2 cases it says something of the methods' order."),
    ],
)
def test_what_the_error_after_the_cut_says(tmp_path, shift: int, short: str, counted: str) -> None:
    table, more = made_up(), []
    for number in range(6):
        own = table[table["method"].eq("same") & table["check"].eq("")]
        accuracy = own["accuracy"] + number / 20
        # with no shift the order turns from seed to seed
        signs = np.where(own["seed"] % 2, 1, -1) if shift == 0 else shift
        more.append(own.assign(method=f"m{number}", accuracy=accuracy, error_after_cut=0.9 - signs * accuracy / 3))
    text = write(tmp_path, pd.concat([table, *more]), LATENCY, BEYOND, {"s": "x"}).read_text()
    assert counted in text
    rows = [line for line in text.splitlines() if "schedule: " in line]
    assert len(rows) == 2
    assert all(row.endswith(f" | {short} |") for row in rows)
    assert rows[0].startswith("| s | 30% | single weights | weights: rewind, schedule: rest, trains: all | 8 | 6 | ")
    assert rows[0].split(" | ")[8] == "+1.00"  # two seeds: all networks have the same order
    assert "](before_after.png)" in text
    assert (tmp_path / "before_after.png").exists()
