"""The section compression: which levels of pruning the score compression_gap compares with the dense networks."""

from winnow.params.base import Section


class Compression(Section):
    """Levels of pruning, for the score compression_gap: the mean over them. None may train on a subset that is
    selected, nor begin where another network was trained on one, because selection waits for the scores."""

    levels: list[str]
