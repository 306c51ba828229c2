"""The step at which a training would have stopped early: that of the lowest validation loss (Frankle and Carbin 2019,
"The lottery ticket hypothesis", section 2). The training itself goes on to its end."""

import numpy as np
import pandas as pd

from winnow.tickets.splits import Splits, evaluate
from winnow.training.loop import Run, Watch

STOPPING = ["seed", "step", "validation_loss", "error"]
MEASURED = "stopping"  # of a run's records: step, validation loss, and test error where no loss before was as low


def measure(splits: Splits, every: int) -> Watch:
    """After every so many steps, record the step, the validation loss (nats), and, if no loss before was as low, the
    test error (0 to 1; nan without test images).

    Raises ValueError if there are no validation images.
    """
    if "validation" not in splits:
        raise ValueError("measure: needs validation images; give download.validation a share such as 0.1")
    validation = {"validation": splits["validation"]}
    test = {name: part for name, part in splits.items() if name == "test"}

    def look(run: Run) -> None:
        _, loss = evaluate(run.network, validation)["validation"]
        before = [row[1] for row in run.records.get(MEASURED, ())]
        lowest = all(not earlier <= loss for earlier in before)
        error = evaluate(run.network, test)["test"][0] if lowest and test else np.nan
        run.record(MEASURED, np.array([run.step, loss, error]))

    return Watch(every, look)


def stop_of(run: Run, seed: int) -> pd.DataFrame:
    """One row: seed, step (of the schedule, the first with the lowest validation loss), validation_loss and error (of
    the test images, at that step); none if nothing was measured."""
    measured = np.array(run.records.get(MEASURED, [])).reshape(-1, 3)
    if np.isnan(measured[:, 1]).all():
        return pd.DataFrame(columns=STOPPING)
    step, loss, error = measured[np.nanargmin(measured[:, 1])]
    return pd.DataFrame([(seed, int(step), loss, error)], columns=STOPPING)
