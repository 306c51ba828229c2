"""The selection methods there are: each a file here, with a function of its name, and a line of this table.

The function takes the evidence (``evidence.Evidence``), how many images to keep, a random generator, and its options as
keyword arguments, and gives what it chose (``evidence.Chosen``). The options and their types are the keys of
params.yaml; one called ``epoch`` is ``select.epoch`` where it is left out, one called ``score`` is a score that
params.yaml asks for. It raises ValueError for options that cannot be met, in words that name the option.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Method:
    """module: where the function is. features: whether it asks for the features of its ``epoch``."""

    module: str
    features: bool = False


METHODS = {
    "ccs": Method("winnow.selection.ccs"),
    "k_center": Method("winnow.selection.k_center", features=True),
    "ranked": Method("winnow.selection.ranked"),
}
