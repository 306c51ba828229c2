"""The names of selection methods: a score, and how images are picked by it."""

import re
from dataclasses import dataclass

from winnow.scores import names

GRAMMAR = "SCORE[-epochE][-windowF][-perclass], such as el2n, grand-epoch0, el2n-window0.1 or random-perclass"


@dataclass(frozen=True)
class Method:
    """How a subset is chosen.

    ``window`` is the share of the lowest-scored images that is skipped before the kept ones start; None keeps the top.
    """

    score: str
    epoch: int | None = None
    window: float | None = None
    per_class: bool = False

    @property
    def by_epoch(self) -> bool:
        """Whether the score changes as training goes on."""
        return self.score in names.BY_EPOCH


def parse_method(text: str) -> Method:
    """Read ``SCORE[-epochE][-windowF][-perclass]``: a name says all, so a stage's name and a table's row do too.

    >>> parse_method("el2n-epoch5-window0.1-perclass")
    Method(score='el2n', epoch=5, window=0.1, per_class=True)

    Raises ValueError that says what is wrong with the name.
    """
    match = re.fullmatch(r"([a-z0-9_]+?)(-epoch(\d+))?(-window(0?\.\d+|0))?(-perclass)?", text)
    if not match:
        raise ValueError(f"{text!r} is not a method; write {GRAMMAR}")
    score, _, epoch, _, window, per_class = match.groups()
    if score not in names.ALL:
        raise ValueError(f"{text!r}: unknown score {score!r}; there are {', '.join(names.ALL)}")
    if epoch is not None and score not in names.BY_EPOCH:
        raise ValueError(f"{text!r}: {score} does not change with training, so it has no epoch")
    return Method(
        score=score,
        epoch=int(epoch) if epoch is not None else None,
        window=float(window) if window is not None else None,
        per_class=per_class is not None,
    )
