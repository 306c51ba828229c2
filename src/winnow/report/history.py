"""How the early runs trained: loss and accuracy by epoch."""

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from winnow.report.marks import SPLITS, band_note, draw_lines, in_percent
from winnow.report.style import Style, drawing, legend_below, new_figure, note

LABELS = {"loss": "Cross-entropy loss (nats)", "accuracy": "Accuracy (%)"}


def history_figure(curves: pd.DataFrame, style: Style) -> Figure:
    """Two panels, loss and accuracy, on training and validation images: mean over seeds and percentile band.

    ``curves``: columns quantity (loss, in nats, or accuracy, a fraction), split, epoch, mean, low, high, count and
    rate_falls: a dotted line marks those epochs.
    """
    curves = curves.assign(line=curves["split"] + " images")
    epochs = curves["epoch"]
    with drawing(style):
        figure = new_figure(style, 9, 3.6)
        handles: dict[str, Artist] = {}
        for axes, (quantity, label) in zip(figure.subplots(1, 2), LABELS.items(), strict=True):
            rows = curves[curves["quantity"] == quantity]
            handles |= draw_lines(axes, rows if quantity == "loss" else in_percent(rows), "epoch", SPLITS)
            for epoch in epochs[curves["rate_falls"]].unique():
                handles["learning rate falls"] = axes.axvline(epoch, color="#999999", linewidth=1, linestyle=":")
            axes.set(xlabel="Epoch", ylabel=label, xlim=(epochs.min() - 0.3, epochs.max() + 0.3))
            axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            if quantity == "loss":
                axes.set_ylim(bottom=0)
        note(figure.axes[0], band_note(curves["count"]), style)
        legend_below(figure, handles, style)
    return figure
