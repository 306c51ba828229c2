"""The names of a score's columns in the table of all images."""

import re

from winnow.scores.names import BY_EPOCH


def column(score: str, epoch: int, statistic: str = "mean") -> str:
    """Such as el2n_epoch4_mean, or input_norm_mean for a score that does not change with training.

    ``statistic`` is mean or stderr, over the seeds.
    """
    return f"{score}_epoch{epoch}_{statistic}" if score in BY_EPOCH else f"{score}_{statistic}"


def parse_column(name: str) -> tuple[str, int] | None:
    """The score and epoch (NO_EPOCH = -1 if it has none) whose mean a column holds; None if it holds another thing."""
    match = re.fullmatch(r"(.+?)(?:_epoch(\d+))?_mean", name)
    return (match[1], int(match[2]) if match[2] else -1) if match else None
