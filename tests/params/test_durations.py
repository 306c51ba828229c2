import pytest

from winnow.params.base import as_yaml, steps


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("20 epochs", 20 * 39), ("1 epoch", 39), ("0 epochs", 0), ("1560 steps", 1560), ("1 step", 1), ("0 steps", 0)],
)
def test_durations_in_steps(duration, expected):
    assert steps(duration, steps_per_epoch=39) == expected


@pytest.mark.parametrize(("value", "text"), [(None, "null"), (True, "true"), ("ä", '"ä"'), ([1, 0.5], "[1, 0.5]")])
def test_values_are_told_as_they_are_written(value, text):
    assert as_yaml(value) == text
