"""The figures of the report, in their order: for each its file, a title, a sentence on how to read it, and its data.

A new figure is one entry. A picture without an entry still appears, with a plain title, below the others.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from winnow.page import charts
from winnow.page.files import Files

FOLDERS = {"plots/pictures": "data", "plots/ticket_pictures": "tickets"}
TITLES = {"data": "Which images matter", "tickets": "Which weights matter"}


@dataclass(frozen=True)
class Figure:
    """file: the picture. reading: how to read it, one sentence. data: the table behind it. value, by, where: a column
    of it, the groups and the rows, of which the alternative text gives ranges. chart: makes Vega-Lite specs that answer
    the pointer, from one experiment's files or two; where it makes none, and on paper, the picture stands."""

    file: str
    title: str
    reading: str
    data: str = ""
    value: str = ""
    by: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    chart: Callable[[Mapping[str, Files]], list[dict[str, Any]]] | None = None


TEST = {"split": "test"}
FIGURES = (
    Figure(
        "plots/pictures/accuracy.png",
        "Test accuracy against the fraction of images kept",
        "Each line is a way of choosing images; where it lies above the grey one, it beats random subsets as large, "
        "and the black line is all images.",
        "plots/accuracy.csv", "accuracy", "method", TEST, charts.accuracy,
    ),
    Figure(
        "plots/pictures/reliability.png",
        "Do scores of different seeds agree?",
        "The higher a line, the more two disjoint groups of so many seeds agree on the ranking; where it is flat, more "
        "seeds add little.",
        "plots/reliability.csv", "spearman", "score",
    ),
    Figure(
        "plots/pictures/how_early.png",
        "How early scores can be taken",
        "Accuracy at a fixed fraction kept, by the epoch of the score: where a line is flat, an earlier one would do.",
        "plots/how_early.csv", "mean", "score",
    ),
    Figure(
        "plots/pictures/how_many.png",
        "How many networks to average",
        "Accuracy at a fixed fraction kept, by the number of networks whose scores were averaged: where the line is "
        "flat, more networks add little.",
        "plots/how_early.csv", "mean", "score",
    ),
    Figure(
        "plots/pictures/agreement.png",
        "Agreement with forgetting, and with the input's norm",
        "Rank correlation of each score with forgetting at the last epoch, and with the norm of the image, by epoch: "
        "an early score that agrees with late forgetting can stand in for it.",
        "plots/agreement.csv", "spearman", "score",
    ),
    Figure(
        "plots/pictures/initial_grand.png",
        "GraNd at initialisation against the input's norm",
        "Each cell counts images; where they gather along a line, GraNd at initialisation ranks by the norm of the "
        "image, and not by what training finds hard.",
        "plots/agreement.csv",
    ),
    Figure(
        "plots/pictures/rank_correlation.png",
        "Which scores rank images alike",
        "Each cell is the rank correlation of two scores: near 1 they order the images alike, near 0 they have nothing "
        "to do with each other.",
        "plots/rank_correlation.csv", "spearman", "score_a",
    ),
    Figure(
        "plots/pictures/distributions.png",
        "How the scores are distributed",
        "A histogram of each score at each epoch; a long right tail means that few images are hard, and if labels were "
        "changed, theirs should lie in it.",
        "data/analysis/distributions.parquet",
    ),
    Figure(
        "plots/pictures/detection.png",
        "Finding wrong labels",
        "Going down each score's list, how many of the images have a wrong label (precision) against how many of the "
        "wrong labels are found (recall): the further to the top right, the better.",
        "plots/detection.csv", "auroc", "detector", {}, charts.detection,
    ),
    Figure(
        "plots/pictures/windows.png",
        "Windows that slide over the ranking",
        "Accuracy against where the window of kept images starts, from the easiest; a peak before the right end means "
        "that the hardest images do harm.",
        "plots/windows.csv",
    ),
    Figure(
        "plots/pictures/coverage.png",
        "What the subsets cover",
        "How many images have a kept one in their neighbourhood, how far the nearest kept image is, and how much of "
        "the least kept class is kept; a subset that covers less than a random one falls below it.",
        "plots/coverage.csv", "covered", "method",
    ),
    Figure(
        "plots/pictures/strata.png",
        "Which strata of the score the smallest subsets keep",
        "Each row is a method, each column a tenth of the images by EL2N, the easiest on the left: an empty cell is a "
        "stratum that a network trained on the subset never sees.",
        "plots/coverage.csv",
    ),
    Figure(
        "plots/pictures/transfer.png",
        "Scores of one network, used for another",
        "Accuracy of subsets that another network or training has chosen, beside those of its own; the closer, the "
        "more the ranking belongs to the data.",
        "plots/transfer.csv",
    ),
    Figure(
        "plots/pictures/target.png",
        "Accuracy on another data set",
        "Networks trained on a subset of this data set, the pool, and then on a few images of the target: a line above "
        "the grey one keeps what the target needs, and at the dotted line the pool is of no use.",
        "plots/target.csv", "accuracy", "method",
    ),
    Figure(
        "plots/pictures/velocity.png",
        "How fast the tangent kernel turns",
        "For groups of images from the easiest to the hardest, how far the kernel moves from one epoch to the next; a "
        "rising line means that hard images drive the change.",
        "plots/velocity.csv",
    ),
    Figure(
        "plots/pictures/history.png",
        "Training of the scoring networks",
        "Loss and accuracy by epoch, mean and band over seeds: scores are only worth what these networks had learned "
        "at their epoch.",
        "plots/history.csv", "validation_accuracy", "",
    ),
    Figure(
        "plots/ticket_pictures/errors.png",
        "Test error against the weights left",
        "Each line is a way of pruning; a level matches while its error stays in the grey band above the dense "
        "networks'.",
        "plots/tickets/results.csv", "error", "variant", TEST, charts.tickets,
    ),
    Figure(
        "plots/ticket_pictures/early_stopping.png",
        "When training would stop",
        "The step with the lowest validation loss, and the test error there: Frankle and Carbin 2019 find that winning "
        "tickets stop earlier than the same masks on new weights, and with a lower error.",
        "plots/tickets/early_stopping.csv", "step", "variant",
    ),
    Figure(
        "plots/ticket_pictures/cuts_without_retraining.png",
        "Right after a cut",
        "Error right after pruning, after two cuts in a row, and after retraining: the gap is what retraining repairs.",
        "plots/tickets/results.csv", "error_after_cut", "variant", TEST,
    ),
    Figure(
        "plots/ticket_pictures/connectivity.png",
        "Barriers between successive levels",
        "A barrier below epsilon means that a level and its parent lie in one linearly connected mode; the counts show "
        "whether such pairs are those that match.",
        "plots/tickets/barriers_of_levels.csv", "barrier", "b", TEST,
    ),
    Figure(
        "plots/ticket_pictures/barriers.png",
        "Barriers between every two levels",
        "Dark cells are pairs of levels with a barrier between them; pale blocks along the diagonal are levels in one "
        "mode.",
        "plots/tickets/barriers_of_levels.csv", "barrier", "a", TEST,
    ),
    Figure(
        "plots/ticket_pictures/lines.png",
        "Along the line from parent to level",
        "Error at points between two solutions: a bump in the middle is a barrier.",
        "plots/tickets/barriers_of_levels.csv", "barrier", "b", TEST,
    ),
    Figure(
        "plots/ticket_pictures/children.png",
        "When do two children of one network part?",
        "Barrier between two networks that saw the same data up to a step and another order after it: once it is low, "
        "training is stable to that noise.",
        "plots/tickets/barriers_of_children.csv", "barrier", "at", TEST,
    ),
    Figure(
        "plots/ticket_pictures/children_subsets.png",
        "Connected on which images?",
        "The same barrier on the easiest, the hardest and random images: the earlier it falls, the earlier training is "
        "stable on them.",
        "plots/tickets/children_subsets.csv",
    ),
    Figure(
        "plots/ticket_pictures/perturbations.png",
        "From perturbed rewind points",
        "Barrier to the unperturbed solution against the length of the perturbation, in units of the step to the next "
        "level: where it stays low, training returns to the same mode.",
        "plots/tickets/barriers_perturbed.csv", "barrier", "multiple", TEST,
    ),
    Figure(
        "plots/ticket_pictures/largest_cuts.png",
        "How much can be pruned at once?",
        "Cuts that stayed in the sublevel set and cuts that did not, against the largest that the curvature predicts.",
        "plots/tickets/measured_cuts.csv", "cut", "level",
    ),
    Figure(
        "plots/ticket_pictures/spectra.png",
        "The spectrum of the Hessian",
        "Density of the eigenvalues over the weights left; mass near zero is flat directions, along which weights can "
        "go.",
        "plots/tickets/curvature.csv", "largest", "level",
    ),
    Figure(
        "plots/ticket_pictures/magnitudes.png",
        "Sizes of weights before and after",
        "Histograms of weights before a cut, after it and after retraining: new small weights are what the next cut "
        "takes.",
        "plots/tickets/results.csv", "density", "level", TEST,
    ),
    Figure(
        "plots/ticket_pictures/layers.png",
        "Which layers are pruned",
        "The fraction of each layer's weights left, level by level; a layer that empties early holds little.",
        "plots/tickets/verdicts.csv", "density", "variant",
    ),
    Figure(
        "plots/pictures/mosaic.png",
        "The easiest and the hardest images of every class",
        "On the left the lowest scores, on the right the highest: the hard ones should look odd, or wrongly labelled.",
        "data/scores/scores.parquet",
    ),
    Figure(
        "plots/pictures/suspects.png",
        "The suspects",
        "The images whose labels the networks doubt most, highest EL2N first; below, they can be browsed and marked.",
        "data/scores/suspects.csv", "el2n", "given",
    ),
)  # fmt: skip


def with_others(names: Iterable[str]) -> list[Figure]:
    """The figures whose picture is there, in their order; then pictures that have no entry."""
    there = list(names)
    known = {figure.file: figure for figure in FIGURES}
    found = [figure for figure in FIGURES if figure.file in there]
    return [*found, *(Figure(name, _plain_title(name), "") for name in there if name not in known)]


def section_of(figure: Figure) -> str:
    """Which half of the pipeline a figure belongs to: data or tickets."""
    return FOLDERS.get(figure.file.rpartition("/")[0], "data")


def _plain_title(file: str) -> str:
    return file.rpartition("/")[2].rpartition(".")[0].replace("_", " ").capitalize()
