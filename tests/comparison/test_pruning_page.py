import pandas as pd

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
    assert {path.name for path in tmp_path.glob("*.png")} == {"accuracy.png", "checks.png", "critical_difference.png"}


def test_without_checks_and_channels_the_page_has_neither(tmp_path) -> None:
    table = made_up()
    text = write(tmp_path, table[table["check"] == ""], pd.DataFrame(), BEYOND, {"s": "x"}).read_text()
    assert "checks.png" not in text
    assert "Smaller networks" not in text
