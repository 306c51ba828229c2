"""A choice that holds for several epochs."""

from collections.abc import Callable
from typing import Annotated

import numpy as np
from annotated_types import Ge

from winnow.training.plan import Moment, Visits

Interval = Annotated[int, Ge(1)]  # epochs


def every(interval: int, images: int, pick: Callable[[Moment], np.ndarray]) -> Callable[[Moment], Visits]:
    """Choose the rows that ``pick`` gives at every ``interval``-th epoch, from epoch 0 on, and keep them in between, as
    the state ``chosen``, bool [n]."""

    def choose(moment: Moment) -> Visits:
        if moment.epoch % interval:
            return Visits(np.flatnonzero(moment.state["chosen"]))
        chosen = np.zeros(images, bool)
        chosen[pick(moment)] = True
        return Visits(np.flatnonzero(chosen), state={**moment.state, "chosen": chosen})

    return choose
