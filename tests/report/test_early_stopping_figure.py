import numpy as np
import pandas as pd
import pytest

from tests.report.drawn import line
from tests.report.ticket_data import tickets
from winnow.report.early_stopping import early_stopping_figure
from winnow.report.style import Style


def stopping() -> pd.DataFrame:
    table = tickets()
    table = table[table["split"] == "test"].reset_index(drop=True)
    return table.assign(step=1000 + 10 * np.arange(len(table)), validation_loss=0.1)


def test_points_are_means_over_seeds() -> None:
    table = stopping()
    steps, errors = early_stopping_figure(table.sample(frac=1, random_state=0), Style()).axes
    for axes, column, scale in ((steps, "step", 1), (errors, "error", 100)):
        by_hand = [scale * table.loc[table["level"] == f"l{i}", column].mean() for i in range(1, 13)]
        np.testing.assert_allclose(line(axes, "IMP").get_xdata(), [100 * 0.8**i for i in range(1, 13)])
        np.testing.assert_allclose(line(axes, "IMP").get_ydata(), by_hand)
        dense = scale * table.loc[table["level"] == "dense", column].mean()
        np.testing.assert_allclose(line(axes, "dense").get_ydata(), dense)
    assert steps.get_ylabel() == "Step of early stopping"
    assert errors.get_ylabel().startswith("Test error at early stopping")


def test_without_a_row_there_is_no_picture() -> None:
    with pytest.raises(ValueError, match="no step of early stopping"):
        early_stopping_figure(stopping().iloc[:0], Style())
