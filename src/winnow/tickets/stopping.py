"""The step at which a training would have stopped early: that of the lowest validation loss (Frankle and Carbin 2019,
"The lottery ticket hypothesis", section 2). The training itself goes on to its end."""

import numpy as np
import pandas as pd

from winnow.tickets.splits import Splits, evaluate
from winnow.training.fit import Hook
from winnow.training.loop import Run

STOPPING = ["seed", "step", "validation_loss", "error"]


def measure_epochs(splits: Splits) -> Hook:
    """Before the first epoch and after every one: record the step, the validation loss (nats), and the test error (0 to
    1; nan without test images).

    Raises ValueError if there are no validation images.
    """
    if "validation" not in splits:
        raise ValueError("measure_epochs: needs validation images; give download.validation a share such as 0.1")
    measured = {name: part for name, part in splits.items() if name != "train"}

    def on_epoch(run: Run) -> None:
        found = evaluate(run.network, measured)
        error, _ = found.get("test", (np.nan, np.nan))
        run.record("stopping", np.array([run.step, found["validation"][1], error]))

    return on_epoch


def stop_of(run: Run, seed: int) -> pd.DataFrame:
    """One row: seed, step (of the schedule, the first with the lowest validation loss), validation_loss and error (of
    the test images, at that step); none if nothing was measured."""
    measured = np.array(run.records.get("stopping", [])).reshape(-1, 3)
    if np.isnan(measured[:, 1]).all():
        return pd.DataFrame(columns=STOPPING)
    step, loss, error = measured[np.nanargmin(measured[:, 1])]
    return pd.DataFrame([(seed, int(step), loss, error)], columns=STOPPING)
