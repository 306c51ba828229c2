"""Error along the straight line between two networks."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from winnow.report.marks import SPLITS, band_note, draw_spread, error_axis, thinned
from winnow.report.spread import spread
from winnow.report.style import Style, drawing, legend_below, new_figure, shorten

MOST_PAIRS = 12


def lines_figure(lines: pd.DataFrame, style: Style) -> Figure:
    """One panel per pair of networks: test and train error from a (0) to b (1), mean over replicates and band.

    ``lines``: one row per point, columns a, b, seed, alpha (0 to 1), split (train or test) and error (0 to 1). Where
    there are more than 12 pairs, so many are shown, spread evenly from first to last.

    Raises ValueError if there is no error.
    """
    shown = lines[lines["split"].isin(SPLITS)].dropna(subset=["error"])
    if shown.empty:
        raise ValueError("no error along a line")
    every = list(dict.fromkeys(zip(shown["a"], shown["b"], strict=True)))
    pairs = thinned(every, MOST_PAIRS)
    columns = min(len(pairs), 4)
    rows = -(-len(pairs) // columns)
    of_pair = {(a, b): shown[(shown["a"] == a) & (shown["b"] == b)] for a, b in pairs}
    with drawing(style):
        figure = new_figure(style, max(2.5 * columns + 0.5, 5.0), 2.1 * rows + 1.0)
        grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
        handles: dict[str, Line2D] = {}
        values = 100 * pd.concat([of_pair[pair]["error"] for pair in pairs]).to_numpy(float)
        for place, axes in enumerate(grid.flat):
            if place >= len(pairs):
                axes.remove()
                continue
            table = of_pair[pairs[place]].assign(percent=100 * of_pair[pairs[place]]["error"])
            for split, look in SPLITS.items():
                means = spread(table[table["split"] == split], "alpha", "percent")
                if len(means):
                    handles[f"{split} images"] = line = draw_spread(
                        axes, means["alpha"].to_numpy(float), means, look, split
                    )
                    line.set_markersize(3)
            a, b = (shorten(end, 1.0 * style.growth, style.font_size) for end in pairs[place])
            axes.set_title(f"{a} to {b}")
            error_axis(axes, "Error", values, room=0.16)
            if place % columns:
                axes.set_ylabel("")
            if place + columns >= len(pairs):
                axes.set_xlabel("Place on the line")
                axes.tick_params(labelbottom=True)
        grid.flat[0].set_xlim(-0.03, 1.03)
        grid.flat[0].set_xticks([0, 0.5, 1], ["0", "0.5", "1"])
        meaning = [band_note(shown.groupby(["a", "b"])["seed"].nunique())]
        if len(pairs) < len(every):
            meaning.append(f"{len(pairs)} of {len(every)} pairs")
        figure.suptitle("; ".join(meaning), fontsize=style.small, x=0.01, ha="left")
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure
