"""The page "Which pruning?": what the tables of the comparison say, in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from winnow.analysis.pruned import BETTER, SAME, WORSE, frontier, not_told_apart, without_rank
from winnow.analysis.ranks import Ranking
from winnow.comparison.head import head
from winnow.comparison.pruning.levels import CHECKS, GROUPS
from winnow.datasets.corruptions import CORRUPTIONS
from winnow.page.words import some

MOST = 8  # names in a cell
OF_CHECKS = {
    "shuffled": "as many weights in each layer, at random places, trained from the rewind point",
    "fresh": "the same mask on new weights, trained through the whole schedule",
    "inverted": "the lowest scores instead of the highest",
}


def page(
    ranks: Ranking,
    results: pd.DataFrame,
    found: pd.DataFrame,
    checked: pd.DataFrame,
    taus: pd.DataFrame,
    latency: pd.DataFrame,
    beyond: pd.DataFrame,
    about: Mapping[str, str],
) -> str:
    """The text of the page.

    ranks: over all settings and densities; results: of ``collect.collected``; found, checked: of ``analysis.pruned``;
    taus: of ``before_after.correlations``; latency: of ``latency.latencies``, with method, density and setting; beyond:
    of ``beyond.beyond``, likewise; about: what each setting is, in a sentence.
    """
    sections = [
        head("Which pruning?", "compare-pruning", about),
        _answers(results, found),
        _ranks(ranks, results, checked),
        _checks(checked),
        *([_before_after(taus)] if len(taus) else []),
        _methods(found),
        _costs(found),
    ]
    if len(latency):
        sections.append(_latency(latency, found))
    return "\n".join([*sections, _beyond(beyond), _how(found)])


def _answers(results: pd.DataFrame, found: pd.DataFrame) -> str:
    lines = [
        "## By regime",
        "",
        "The first method has the highest mean accuracy of its group. The next column names the methods that may be as "
        "good: the 95% interval of the first's lead over them, paired by seed, holds 0. The cheapest of all these "
        "takes the fewest trainings. The last column names the best method that chooses weights without looking at "
        "images. Points: against the dense networks of the same seeds.",
        "",
        "| setting | group | weights left | first | may be as good | cheapest of these | without images |",
        "| --- | --- | ---: | --- | --- | --- | --- |",
    ]
    for setting in found["setting"].unique():
        for group, title in GROUPS.items():
            of_group = found[(found["setting"] == setting) & (found["group"] == group)]
            for density in sorted(of_group["density"].unique(), reverse=True):
                own = of_group[of_group["density"] == density].set_index("method")
                best = not_told_apart(results, list(own.index), density, setting)
                cheapest = min(best, key=lambda name: (own["trainings"][name], best.index(name)))
                blind = [name for name in own["accuracy"].sort_values(ascending=False).index if not own["images"][name]]
                cells = [
                    *(setting, title, f"{100 * density:g}%", _with_points(own, best[0])),
                    some(best[1:], MOST) or "none",
                    f"{cheapest}, {_count(own['trainings'][cheapest])}",
                    _with_points(own, blind[0]) if blind else "none",
                ]
                lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _with_points(own: pd.DataFrame, method: str) -> str:
    return f"{method}, {100 * own['change'][method]:+.2f} points"


def _count(trainings: int) -> str:
    return f"{trainings} training{'s' if trainings > 1 else ''}"


def _ranks(ranks: Ranking, results: pd.DataFrame, checked: pd.DataFrame) -> str:
    others, blocks = without_rank(results)
    lines = [
        f"The ranks are means over {ranks.blocks} blocks, each of one setting, density, repeat and seed. The test "
        "assumes that blocks are independent. Blocks of one setting share their images, so they are not quite."
    ]
    if others:
        names = some([f"{name} ({count})" for name, count in others.items()], MOST)
        lines.append(f"Without a rank, as they have networks in too few of the {blocks} blocks: {names}.")
    if blocks > ranks.blocks:
        lines.append(f"{blocks - ranks.blocks} blocks do not count, as a method with a rank has no network there.")
    checks = "\n![Tickets against their checks](checks.png)\n" if len(checked) else ""
    return f"""## Over all settings

![Mean ranks](critical_difference.png)

{" ".join(lines)}

![Accuracy against density](accuracy.png)
{checks}"""


def _checks(checked: pd.DataFrame) -> str:
    lines = [
        "## Does the choice of weights matter?",
        "",
        "A method tells which weights matter only if its tickets are better than these:",
        "",
        *(f"- {name}: {OF_CHECKS[name]}" for name in CHECKS),
        "",
        "Empty: the check does not apply; random masks have none. A ticket that goes on from trained weights has that "
        "advantage over its checks too. Counted are settings and densities. Same: the 95% interval of the paired "
        "difference holds 0.",
        "",
        f"| method | {' | '.join(f'{check}: better, same, worse' for check in CHECKS)} | in short |",
        "| --- | --- | --- | --- | --- |",
    ]
    for method, own in checked.groupby("method", sort=False):
        cells = []
        for check in CHECKS:
            verdicts = own.loc[own["check"] == check, "verdict"]
            counts = [int((verdicts == word).sum()) for word in (BETTER, SAME, WORSE)]
            cells.append(", ".join(map(str, counts)) if len(verdicts) else "")
        lines.append(f"| {method} | {' | '.join(cells)} | {_in_short(own)} |")
    return "\n".join([*lines, ""])


def _in_short(own: pd.DataFrame) -> str:
    """What the checks say of one method."""
    if (own["networks"] < 2).all():
        return "one network cannot tell"
    known = {check: set(own.loc[own["check"] == check, "verdict"]) for check in CHECKS}
    equal = [check for check, verdicts in known.items() if verdicts and BETTER not in verdicts]
    passed = [check for check, verdicts in known.items() if verdicts == {BETTER}]
    if "shuffled" in equal:
        return "never better than its own shuffled mask"
    if equal:
        return f"never better than {some(equal)}"
    everywhere = len(passed) == sum(map(bool, known.values()))
    return f"better than {some(passed)} everywhere" if everywhere else "mixed"


def _before_after(taus: pd.DataFrame) -> str:
    said = [_of_tau(row) for row in taus.to_dict("records")]
    lines = [
        "## Does the error right after the cut tell the error after retraining?",
        "",
        f"{_something(said)} Kendall's tau is 1 if both errors put the methods into the same order, 0 if one says "
        "nothing of the other, and -1 if it says the reverse (Feng et al. 2024). Compared are methods that cut the "
        "dense network once, to the same density, and retrain in the same way. Tau: the mean over the networks, with "
        "its 95% interval. Two seeds: tau between the errors after retraining of two networks that differ in their "
        "seed, which is about as high as it can be.",
        "",
        "![The error before and after retraining](before_after.png)",
        "",
        "| setting | weights left | pruned | retraining | methods | networks | tau | 95% interval | two seeds | in "
        "short |",
        "| --- | ---: | --- | --- | ---: | ---: | ---: | --- | ---: | --- |",
    ]
    for row, short in zip(taus.to_dict("records"), said, strict=True):
        weights, schedule, trains, *_ = row["retraining"].split()
        cells = [
            *(row["setting"], f"{100 * row['density']:g}%", "channels" if row["channels"] else "single weights"),
            f"weights: {weights}, schedule: {schedule}, trains: {trains}",
            *(f"{row['methods']}", f"{row['networks']}", _signed(row["tau"])),
            "" if np.isnan(row["low"]) else f"{_signed(row['low'])} to {_signed(row['high'])}",
            *(_signed(row["of_replicates"]), short),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


SAYS_SOMETHING, SAYS_REVERSE, SAYS_NOTHING = "says something", "says the reverse", "not told apart from 0"


def _of_tau(row: Mapping[Any, Any]) -> str:
    if np.isnan(row["low"]):
        return "one network cannot tell" if row["networks"] < 2 else "no order"
    return SAYS_SOMETHING if row["low"] > 0 else SAYS_REVERSE if row["high"] < 0 else SAYS_NOTHING


def _something(said: Sequence[str]) -> str:
    """In how many of the cases the error right after the cut says something of the order after retraining."""
    counted = f"In {said.count(SAYS_SOMETHING)} of {len(said)} cases it says something of the methods' order"
    reverse = said.count(SAYS_REVERSE)
    return f"{counted}, and in {reverse} the reverse." if reverse else f"{counted}."


def _signed(value: float) -> str:
    return "" if np.isnan(value) else f"{value:+.2f}"


def _methods(found: pd.DataFrame) -> str:
    densities = sorted(found["density"].unique(), reverse=True)
    lines = [
        "## All methods",
        "",
        "Mean test accuracy in percent, over settings and networks; trainings: from the initialisation to the sparsest "
        "ticket, that of the dense network included.",
        "",
        f"| method | group | trainings | {' | '.join(f'{100 * density:g}% left' for density in densities)} |",
        f"| --- | --- | ---: |{' ---: |' * len(densities)}",
    ]
    for group, title in GROUPS.items():
        for method, own in found[found["group"] == group].groupby("method", sort=False):
            means = own.groupby("density")["accuracy"].mean()
            cells = [f"{100 * means[density]:.2f}" if density in means else "" for density in densities]
            lines.append(f"| {method} | {title} | {own['trainings'].max()} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _costs(found: pd.DataFrame) -> str:
    densities = sorted(found["density"].unique(), reverse=True)
    lines = [
        "## What training costs",
        "",
        "The steps of a ticket are its own and those of the trainings before it: of the dense network, and after "
        "earlier cuts. Alive is the fraction of the weights left, averaged over these steps (Jin et al. 2025). Cost is "
        "its sum over the steps, in trainings of a dense network. Only a device that skips pruned weights saves this: "
        "on others every training takes as long as a dense one. Scoring weights is not counted. The table has means "
        "over settings.",
        "",
        "No other method is cheaper and as accurate, or as cheap and more accurate, by the means:",
        "",
    ]
    for setting in found["setting"].unique():
        for density in densities:
            own = found[(found["setting"] == setting) & (found["density"] == density)]
            if len(own):
                lines.append(f"- {setting}, {100 * density:g}% left: {some(frontier(own), 2 * MOST)}")
    heads = " | ".join(f"{100 * density:g}% left: cost, alive" for density in densities)
    lines += [
        "",
        *(["![Accuracy against cost](cost.png)", ""] if (found["cost"] > 0).any() else []),
        f"| method | group | trainings | {heads} |",
        f"| --- | --- | ---: |{' ---: |' * len(densities)}",
    ]
    for group, title in GROUPS.items():
        for method, own in found[found["group"] == group].groupby("method", sort=False):
            means = own.groupby("density")[["cost", "alive"]].mean()
            cells = [_cost(means.loc[density]) if density in means.index else "" for density in densities]
            lines.append(f"| {method} | {title} | {own['trainings'].max()} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _cost(means: pd.Series) -> str:
    alive = "" if np.isnan(means["alive"]) else f", {100 * means['alive']:.0f}%"
    return f"{means['cost']:.2f}{alive}"


def _latency(latency: pd.DataFrame, found: pd.DataFrame) -> str:
    joined = latency.merge(found, on=["setting", "method", "density"])
    lines = [
        "## Smaller networks",
        "",
        "Networks without their pruned channels (`winnow.smaller`) against the dense one, by turns: processor time of "
        "one thread for a batch, on the machine that wrote this page, and the size of the file of weights.",
        "",
        "| setting | method | left, as asked for | weights left | accuracy (%) | images | ms | dense ms | times as "
        "fast | kB | dense kB |",
        f"| --- | --- |{' ---: |' * 9}",
    ]
    for row in joined.to_dict("records"):
        speed = row["dense_milliseconds"] / row["milliseconds"]
        cells = [
            *(row["setting"], row["method"], f"{100 * row['density']:g}%", f"{100 * row['left']:.1f}%"),
            *(f"{100 * row['accuracy']:.2f}", f"{row['batch']}", f"{row['milliseconds']:.1f}"),
            *(f"{row['dense_milliseconds']:.1f}", f"{speed:.2f}", f"{row['bytes'] / 1000:.0f}"),
            f"{row['dense_bytes'] / 1000:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _beyond(beyond: pd.DataFrame) -> str:
    methods = beyond[beyond["density"] < 1].groupby("density")["method"].nunique()
    densities = sorted(methods[2 * methods >= methods.max()].index, reverse=True)  # not a pattern's own
    density = densities[len(densities) // 2]
    columns = ["error", "corrupted_error", *CORRUPTIONS, "calibration_error", "worst_class_error", "agreement", "cka"]
    lines = [
        "## Beyond accuracy",
        "",
        f"Of the dense networks, and of tickets with {100 * density:g}% left (`beyond.csv` has all): means over "
        "settings and networks, in percent, on at most 2,000 test images. Corrupted: the mean error over noise, blur, "
        "contrast and JPEG at five strengths each (Hendrycks and Dietterich 2019). Calibration: the expected "
        "calibration error (Guo et al. 2017). Agreement: the images that get the same class from the dense network of "
        "the same seed. CKA: how alike the features of the two are, from 0 to 1 (Kornblith et al. 2019).",
        "",
        "| method | error | corrupted | noise | blur | contrast | JPEG | calibration | worst class | agreement | CKA |",
        f"| --- |{' ---: |' * len(columns)}",
    ]
    means = beyond[beyond["density"].isin([1.0, density])].groupby("method", sort=False)[columns].mean()
    for method, row in means.sort_values("corrupted_error", kind="stable").iterrows():
        cells = [f"{row[column]:.2f}" if column == "cka" else f"{100 * row[column]:.1f}" for column in columns]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _how(found: pd.DataFrame) -> str:
    counts = found["networks"]
    trained = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    return f"""## The tables

- `results.csv`: every network: its method, density, check and accuracy, its error right after the cut, and the steps
  and weights of the trainings behind it
- `changes.csv`: every method at every density against the dense networks, with the 95% interval over {trained} networks
- `checks.csv`: every ticket against its checks, paired by seed
- `before_after.csv`: Kendall's tau between the errors before and after retraining
- `latency.csv`: the networks without their pruned channels
- `beyond.csv`: every ticket under corruptions, its calibration, its worst class, and how alike the dense network it is
- `params/`: the params.yaml of every setting
"""
