"""Choose images by the name of a selection method, its options and a size."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from winnow import methods
from winnow.selection.evidence import Chosen, Evidence
from winnow.streams import numpy_stream

METHODS = "winnow.selection.methods"


def method(name: str) -> Callable[..., Chosen]:
    """The selection method of this name. Raises ValueError if there is none."""
    if name not in methods.names(METHODS):
        raise ValueError(f"{name!r} is not a selection method; there are {', '.join(methods.names(METHODS))}")
    return methods.find(METHODS, name)


def choose(evidence: Evidence, name: str, options: Mapping[str, Any], size: int, seed: int) -> Chosen:
    """The ``size`` images that a method chooses, by rising row. seed: of the method's random draws.

    Raises ValueError if no method has this name, or if the method cannot meet its options.
    """
    chosen = method(name)(evidence, size, numpy_stream(seed, "subset"), **options)
    order = np.argsort(chosen.rows)
    weights = None if chosen.weights is None else chosen.weights[order]
    return Chosen(chosen.rows[order], weights, chosen.about)
