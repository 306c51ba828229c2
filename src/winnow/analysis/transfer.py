"""Whether a ranking belongs to the data: scores of other networks against those of the networks that were scored."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from winnow.analysis.reliability import correlation, rankings
from winnow.analysis.spread import band
from winnow.scores.seed_scores import SeedScores
from winnow.streams import numpy_stream

CORRELATION = ["spearman", "low", "high"]


def transfer_table(
    scores: Mapping[str, SeedScores],
    sources: Mapping[str, Mapping[str, SeedScores]],
    reliability: pd.DataFrame,
    splits: int,
    seed: int,
) -> pd.DataFrame:
    """Rank correlation between the scores of each source and ``scores``, beside the highest that one could expect.

    sources: by source, its scores by their names. Either mean is over as many seeds, m: all of the source's, but at
    most half of the others, drawn ``splits`` times. reliability: the table of ``reliability.reliability_table``, which
    has the ceiling: the correlation between means over m seeds and over m others, all of ``scores``.

    Returns one row for each source, score and epoch: source, score, epoch, seeds (m), spearman, low, high (mean, 16th
    and 84th percentile over the draws), ceiling, ceiling_low, ceiling_high (nan for a single seed). Constant scores,
    which have no ranking, have no row.
    """
    draws = numpy_stream(seed, "splits")
    rows = []
    for source, of_source in sources.items():
        for name, theirs in of_source.items():
            ours = scores[name]
            size = max(1, min(len(theirs.seeds), len(ours.seeds) // 2))
            pairs = [[draws.permutation(len(side.seeds))[:size] for side in (theirs, ours)] for _ in range(splits)]
            for epoch in theirs.epochs:
                their, our = (rankings(side.values[:, side.epochs.index(epoch)]) for side in (theirs, ours))
                found = [correlation(their(of_theirs), our(of_ours)) for of_theirs, of_ours in pairs]
                if not np.isnan(found).any():
                    rows.append((source, name, epoch, size, np.mean(found), *band(found)))
    keys = ["score", "epoch", "seeds"]
    table = pd.DataFrame(rows, columns=["source", *keys, *CORRELATION])
    table = table.astype({"source": str, "score": str, "epoch": int, "seeds": int, **dict.fromkeys(CORRELATION, float)})
    ceiling = dict(zip(CORRELATION, ["ceiling", "ceiling_low", "ceiling_high"], strict=True))
    return table.merge(reliability[[*keys, *CORRELATION]].rename(columns=ceiling), "left", keys)
