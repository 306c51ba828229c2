"""The page "Which method?": what the tables of the comparison say, regime by regime, in Markdown."""

from collections.abc import Mapping, Sequence

import pandas as pd

from winnow.analysis.gains import BASELINE, BLOCK, FEW, Regime
from winnow.analysis.ranks import LEVEL, Ranking, critical_difference
from winnow.comparison.head import head
from winnow.page.words import some

MOST = 8  # names in a cell


def page(
    ranks: Ranking, parts: Sequence[Regime], found: pd.DataFrame, costs: pd.DataFrame, about: Mapping[str, str]
) -> str:
    """The text of the page.

    ranks: over all settings; parts: the regimes; found: of ``gains``; costs: of ``cost_table``; about: what each
    setting is, in a sentence.
    """
    sections = [_head(about), _answers(parts, costs), _ranks(ranks, found), _below(found), _costs(costs, found)]
    if (found["wrong_kept"] > 0).any():
        sections.append(_wrong(found))
    return "\n".join([*sections, _how(found)])


def cost_table(costs: pd.DataFrame) -> pd.DataFrame:
    """Per method, over the keeps and settings: passes (training and scoring, the most), networks, seconds (the most)
    and mib (the most). costs: as of ``comparison.cost.costs``."""
    table = costs.assign(passes=costs["training_passes"] + costs["scoring_passes"])
    return table.groupby("method", sort=False)[["passes", "networks", "seconds", "mib"]].max().reset_index()


def _head(about: Mapping[str, str]) -> str:
    return f"""{head("Which method?", "compare-methods", about)}
Every subset trains for as many steps as all images would, so all methods cost the same to train, random subsets too.
"""


def _answers(parts: Sequence[Regime], costs: pd.DataFrame) -> str:
    passes = costs.set_index("method")["passes"]
    lines = [
        "## By regime",
        "",
        f"Few images: a share of {FEW:g} or less. The first method has the best mean rank over the shares, repeats and "
        f"seeds of the regime. Those of the third column are not told apart from it (Nemenyi, {100 * LEVEL:g}%). The "
        "cheapest of these takes the fewest passes over the data.",
        "",
        "| setting | shares | first, gain over random | not told apart from it | cheapest of these | above random at "
        "every share | below random at every share |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for part in parts:
        first, others = part.best[0], part.best[1:]
        cheapest = min(part.best, key=lambda name: (passes.get(name, 0), part.best.index(name)))
        always = {word: part.table.index[part.table[word] == len(part.keeps)].tolist() for word in ("above", "below")}
        cells = [
            part.setting,
            f"{'few' if part.few else 'many'}: {', '.join(part.keeps)}",
            f"{first}, {100 * part.table['gain'][first]:+.2f} points",
            some(others, MOST) or "none",
            f"{cheapest}, {passes.get(cheapest, 0):.0f} passes, {100 * part.table['gain'][cheapest]:+.2f} points",
            some(always["above"], MOST) or "none",
            some(always["below"], MOST) or "none",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    ties = [part for part in parts if BASELINE in part.best]
    lines += [
        "",
        *(f"- {_name(part)}: the ranks of this regime show no method to be better than random." for part in ties),
    ]
    return "\n".join([*lines, ""])


def _name(part: Regime) -> str:
    return f"{part.setting}, {'few' if part.few else 'many'} images"


def _ranks(ranks: Ranking, found: pd.DataFrame) -> str:
    settings = len(found[["setting", "keep"]].drop_duplicates())
    strict = critical_difference(len(ranks.ranks), settings)
    return f"""## Over all settings

![Mean ranks](critical_difference.png)

The ranks are means over {ranks.blocks} comparisons: {", ".join(BLOCK[:-1])} and {BLOCK[-1]}. The test takes these for
independent, but those of one setting have their images in common. If each setting and share counted once
({settings} comparisons), the critical difference would be {strict:.2f} in place of {ranks.critical:.2f}.

![Accuracy against the share kept](accuracy.png)

![Gains over random](gains.png)
"""


def _below(found: pd.DataFrame) -> str:
    worse = found[found["verdict"] == "below"]
    lines = ["## Where random was better", ""]
    if worse.empty:
        return "\n".join([*lines, "No method is told apart from random to its own disadvantage.", ""])
    lines.append(
        "Most of these methods were proposed as better than random subsets. Here random was better, and the 95% "
        "interval of the gain leaves out 0:"
    )
    lines.append("")
    for method, rows in worse.groupby("method", sort=False):
        places = [f"{setting} at {', '.join(own['keep'])}" for setting, own in rows.groupby("setting", sort=False)]
        lines.append(f"- {method}: {'; '.join(places)} (at most {-100 * rows['gain'].min():.2f} points)")
    return "\n".join([*lines, ""])


def _costs(costs: pd.DataFrame, found: pd.DataFrame) -> str:
    gain = found.groupby("method")["gain"].mean()
    worst = found.groupby("method")["worst_class_gain"].mean()
    rows = sorted(costs.to_dict("records"), key=lambda row: (row["passes"], row["seconds"]))
    lines = [
        "## What it costs, and what it gains",
        "",
        "![Gain against passes](cost.png)",
        "",
        "Passes over the data: to train the networks whose scores or features the method reads, up to the epoch that "
        "it reads, and to score them. All methods share the same networks, so a second method adds little. Seconds and "
        "memory: of the choice itself, on one core, the most of all shares. Gains: means over settings and shares, in "
        "points; of the worst class too.",
        "",
        "| method | passes | networks | seconds | MiB | gain | gain, worst class |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {row['method']} | {row['passes']:.0f} | {row['networks']:.0f} | {row['seconds']:.2f} | {row['mib']:.0f} | "
        f"{100 * gain[row['method']]:+.2f} | {100 * worst[row['method']]:+.2f} |"
        for row in rows
        if row["method"] in gain
    ]
    return "\n".join([*lines, ""])


def _wrong(found: pd.DataFrame) -> str:
    noisy = found[found["wrong_kept"].groupby(found["setting"]).transform("max") > 0]
    lines = ["## Wrong labels kept", "", "The share of the labels in the subset that are wrong, in percent.", ""]
    for setting, own in noisy.groupby("setting", sort=False):
        keeps = list(own["keep"].unique())
        table = (100 * own.pivot(index="method", columns="keep", values="wrong_kept")[keeps]).sort_values(keeps[0])
        lines += [f"| {setting} | {' | '.join(keeps)} |", f"| --- |{' ---: |' * len(keeps)}"]
        lines += [f"| {method} | {' | '.join(f'{value:.1f}' for value in row)} |" for method, row in
                  zip(table.index, table.to_numpy(), strict=True)]  # fmt: skip
        lines.append("")
    return "\n".join(lines)


def _how(found: pd.DataFrame) -> str:
    counts = found["networks"]
    trained = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()} to {counts.max()}"
    return f"""## The tables

- `results.csv`: every network: its accuracy, that of its worst class, the share of wrong labels it was trained on
- `gains.csv`: the gain of every method at every share, with the 95% interval over {trained} networks, each against the
  random one of the same seed
- `costs.csv`: seconds, memory and passes of every choice
- `params/`: the params.yaml of every setting
"""
