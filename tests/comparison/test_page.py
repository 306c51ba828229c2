import numpy as np
import pandas as pd
import pytest

from winnow.analysis.gains import gains
from winnow.comparison.page import cost_table
from winnow.comparison.write import write


def results() -> pd.DataFrame:
    """Eight networks of each method at two shares: good beats random in both, cheap is a hair behind, bad is below."""
    noise = np.random.default_rng(0).normal(0, 0.002, (8, 4, 2))
    better = {"random": 0.0, "good": 0.05, "cheap": 0.045, "bad": -0.1}
    rows = [
        ("noisy", seed // 2, name, str(keep), keep, round(1000 * keep), seed, 0.5 + keep + gain + noise[seed, m, k],
         0.4 + keep + 2 * gain, 0.5 if name == "bad" else 0.2)
        for m, (name, gain) in enumerate(better.items())
        for k, keep in enumerate((0.1, 0.5))
        for seed in range(8)
    ]  # fmt: skip
    columns = ["setting", "repeat", "method", "keep", "fraction", "images", "seed", "accuracy", "worst_class",
               "wrong_kept"]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


COSTS = pd.DataFrame(
    [
        ("random", "0.1", 0.01, 1.0, 0, 0, 0, 0, "noisy"),
        ("good", "0.1", 2.0, 50.0, 6, 8, 48, 6, "noisy"),
        ("good", "0.5", 1.0, 60.0, 6, 8, 48, 6, "noisy"),
        ("cheap", "0.1", 0.1, 2.0, 1, 4, 4, 1, "noisy"),
        ("bad", "0.1", 0.1, 2.0, 6, 4, 24, 6, "noisy"),
    ],
    columns=["method", "keep", "seconds", "mib", "networks", "epochs", "training_passes", "scoring_passes", "setting"],
)


def test_a_method_costs_the_most_of_its_choices() -> None:
    good = cost_table(COSTS).set_index("method").loc["good"]
    assert good.to_dict() == {"passes": 54, "networks": 6, "seconds": 2.0, "mib": 60.0}


def test_the_page_says_which_method_where_and_which_is_cheapest(tmp_path) -> None:
    text = write(tmp_path, results(), COSTS, {"noisy": "A fifth of the labels wrong."}).read_text()
    few, many = (line for line in text.splitlines() if line.startswith("| noisy | few:") or "| many:" in line)
    for line, keep in ((few, "few: 0.1"), (many, "many: 0.5")):
        _, setting, shares, first, same, cheapest, above, below, _ = (cell.strip() for cell in line.split("|"))
        assert (setting, shares) == ("noisy", keep)
        assert first.startswith("good, +")
        assert same == "cheap"
        assert cheapest.startswith("cheap, 5 passes, +")
        assert above == "good and cheap"
        assert below == "bad"
    assert "show no method to be better than random" not in text
    found = gains(results()).set_index(["method", "keep"])["gain"]
    assert f"- bad: noisy at 0.1, 0.5 (at most {-100 * found['bad'].min():.2f} points)" in text
    assert f"| good | 54 | 6 | 2.00 | 60 | {100 * found['good'].mean():+.2f} | +10.00 |" in text
    assert "| bad | 50.0 | 50.0 |" in text
    assert "- **noisy**: A fifth of the labels wrong.\n" in text
    assert pd.read_csv(tmp_path / "gains.csv")["gain"].to_numpy() == pytest.approx(gains(results())["gain"].to_numpy())


def test_without_wrong_labels_the_page_has_no_table_of_them(tmp_path) -> None:
    text = write(tmp_path, results().assign(wrong_kept=0.0), COSTS, {"noisy": "x"}).read_text()
    assert "Wrong labels kept" not in text
