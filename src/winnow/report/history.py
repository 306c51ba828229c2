"""How the early runs trained: loss and accuracy by epoch."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from winnow.report.spread import BAND, span, spread
from winnow.report.style import Look, Style, drawing, legend_below, new_figure, note

PARTS = {"train": Look("#0072B2", "o", "-"), "validation": Look("#D55E00", "s", (0, (6, 1.5)))}


def history_figure(history: pd.DataFrame, style: Style) -> Figure:
    """Two panels, loss and accuracy, on training and validation images: mean over seeds and percentile band.

    ``history``: one row per seed and epoch; columns seed, epoch, learning_rate, train_loss, train_accuracy,
    validation_loss and validation_accuracy (losses in nats, accuracies 0 to 1; NaN where there is none). A dotted line
    marks each epoch whose learning rate is below that of the epoch before.
    """
    rate = history.groupby("epoch")["learning_rate"].mean().dropna().sort_index()
    drops = rate.index[1:][np.diff(rate.to_numpy(float)) < 0]
    with drawing(style):
        figure = new_figure(style, 9, 3.6)
        handles: dict[str, Line2D] = {}
        for axes, quantity in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
            for part, look in PARTS.items():
                scale = 100 if quantity == "accuracy" else 1
                name = f"{part}_{quantity}"
                lines = spread(history.assign(**{name: scale * history[name]}), "epoch", name)
                if lines.empty:
                    continue
                epochs = lines["epoch"].to_numpy(float)
                if lines["count"].max() > 1:
                    if len(epochs) > 1:
                        axes.fill_between(epochs, lines["low"], lines["high"], color=look.color, alpha=0.2, linewidth=0)
                    else:
                        axes.vlines(epochs, lines["low"], lines["high"], color=look.color, alpha=0.4, linewidth=4)
                (handles[f"{part} images"],) = axes.plot(
                    epochs, lines["mean"], color=look.color, linestyle=look.line, linewidth=1.5,
                    marker=look.marker, markersize=4 if len(epochs) <= 40 else 0, label=part,
                )  # fmt: skip
            for epoch in drops:
                handles["learning rate falls"] = axes.axvline(epoch, color="#999999", linewidth=1, linestyle=":")
            axes.set_xlabel("Epoch")
            axes.set_ylabel("Cross-entropy loss (nats)" if quantity == "loss" else "Accuracy (%)")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            axes.set_xlim(history["epoch"].min() - 0.3, history["epoch"].max() + 0.3)
            if quantity == "loss":
                axes.set_ylim(bottom=0)
        seeds = history.groupby("epoch")["seed"].nunique()
        left = figure.axes[0]
        note(left, f"line: mean of {span(seeds)}; band: {BAND}" if seeds.max() > 1 else "one seed", style)
        legend_below(figure, list(handles.values()), list(handles), style)
    return figure
