"""How methods look, the same in every picture and on the page: colours, markers, lines, and the names of scores.

Without matplotlib, which the page does not need."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

GREY = "#777777"

# Okabe and Ito's colours for colour-blind readers, without black (full data) and yellow (too pale on white), ordered so
# that neighbours also differ as greys; a dark purple makes seven.
COLORS = ("#0072B2", "#E69F00", "#D55E00", "#56B4E9", "#4B0055", "#CC79A7", "#009E73")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
LINES: tuple[Any, ...] = ("-", (0, (6, 1.5)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1)), (0, (8, 1.5, 1, 1.5, 1, 1.5)))

SCORE_TITLES = {
    "el2n": "EL2N",
    "grand": "GraNd",
    "aum": "AUM",
    "dyn_unc": "Dyn-Unc",
    "dual": "DUAL",
    "tdds": "TDDS",
    "donod": "DONOD",
}


@dataclass(frozen=True)
class Look:
    """How one method is drawn; any two differ in marker or line as well as in colour, so grey prints can be read."""

    color: str
    marker: str
    line: Any  # matplotlib's line style: a name or (offset, dashes)


def looks(names: Iterable[str]) -> dict[str, Look]:
    """A look for every name, by order of first appearance; "random" is always dashed grey and "full" a black line."""
    fixed = {"random": Look(GREY, "x", "--"), "full": Look("#000000", "", "-")}
    order = list(dict.fromkeys(names))
    free = [name for name in order if name not in fixed]
    # 7 colours, 8 markers and 5 lines have no common factor: a combination comes again only after 280 names
    given = {
        name: Look(COLORS[i % len(COLORS)], MARKERS[i % len(MARKERS)], LINES[i % len(LINES)])
        for i, name in enumerate(free)
    }
    return {name: fixed.get(name) or given[name] for name in order}


def score_title(score: str) -> str:
    """A score's name as the papers write it."""
    return SCORE_TITLES.get(score, score.replace("_", " "))
