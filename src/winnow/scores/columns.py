"""Names of the columns of scores in the table of all images."""

import re

from winnow.scores.seed_scores import NO_EPOCH


def column(score: str, epoch: int, statistic: str = "mean") -> str:
    """A name such as el2n_epoch4_mean, or input_norm_mean for a score that does not depend on training (NO_EPOCH).

    ``statistic`` is mean or stderr, over the seeds.
    """
    return f"{score}_{statistic}" if epoch == NO_EPOCH else f"{score}_epoch{epoch}_{statistic}"


def parse_column(name: str) -> tuple[str, int] | None:
    """The score and epoch (or NO_EPOCH) whose mean a column holds; None for other columns."""
    match = re.fullmatch(r"(.+?)(?:_epoch(\d+))?_mean", name)
    return (match[1], int(match[2]) if match[2] else NO_EPOCH) if match else None
