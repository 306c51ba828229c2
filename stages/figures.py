"""Draw every picture from the tables that earlier stages wrote, and say how the methods did."""

from stages._stage import main, params
from winnow.datasets.images import load_facts, load_pixels
from winnow.params.early import Early
from winnow.params.figures import Figures
from winnow.report.accuracy import accuracy_figure
from winnow.report.comparison import in_words
from winnow.report.correlation import correlation_figure, reliability_figure
from winnow.report.distributions import distributions_figure
from winnow.report.history import history_figure
from winnow.report.mosaic import mosaic_figures
from winnow.report.style import Style, save
from winnow.report.suspects import suspects_figure
from winnow.scores.columns import column
from winnow.storage import atomic_folder, load_table


def figures() -> None:
    options = params(early=Early, figures=Figures)
    style = Style(font_size=options.figures.font_size)
    scores = load_table("data/scores/scores.parquet")
    suspects = load_table("data/scores/suspects.csv").head(options.figures.suspects)
    pixels = load_pixels("data/images", "train")
    row_of = {name: row for row, name in enumerate(scores["id"])}
    noisy = (scores["label"] != scores["original_label"]).to_numpy()
    last = options.early.epochs[-1]
    against = load_table("plots/differences.csv")
    drawn = {
        "accuracy": accuracy_figure(load_table("plots/accuracy.csv"), against[against["baseline"] == "random"], style),
        "distributions": distributions_figure(scores, style, noisy if noisy.any() else None),
        "rank_correlation": correlation_figure(load_table("plots/rank_correlation.csv"), style),
        "reliability": reliability_figure(load_table("plots/reliability.csv"), style),
        "history": history_figure(load_table("plots/history.csv"), style),
        "suspects": suspects_figure(pixels[[row_of[name] for name in suspects["id"]]], suspects, style),
    }
    sheets = mosaic_figures(
        pixels,
        scores["label"].to_numpy(),
        scores["id"].to_numpy(str),
        scores[column("el2n", last)].to_numpy(),
        load_facts("data/images")["class_names"],
        style=style,
        per_class=options.figures.per_class,
        score=f"EL2N at epoch {last}",
    )
    drawn |= {f"mosaic{page or ''}": sheet for page, sheet in enumerate(sheets)}
    with atomic_folder("plots/pictures") as folder:
        for name, figure in drawn.items():
            save(figure, folder / f"{name}.png", options.figures.dpi)
    print(in_words(against))  # here, not in compare: whose tables are in git, so a fresh clone may skip it


if __name__ == "__main__":
    main(figures)
