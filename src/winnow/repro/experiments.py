"""All experiments beside each other, for make experiments: the headline numbers, and the parameters that differ.

``dvc exp show`` makes a column of each parameter and of each input, hundreds here, unless one names all that it is to
keep. Here they are rows, as in ``dvc params diff``, and where too many differ, such as those of all levels, they share
one.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

MOST = 28  # rows of parameters: with the numbers they fit on a screen
NARROWEST = 12  # characters of a column

Flat = dict[str, Any]


def in_words(commits: Iterable[Mapping[str, Any]], width: int) -> str:
    """What ``dvc exp show --json`` found as tables that are at most so many characters wide, below each other if there
    are many experiments."""
    found = {name: data for name, data in _experiments(commits) if data}
    numbers, params = ({name: _all(own[kind]) for name, own in found.items()} for kind in ("metrics", "params"))
    every = dict.fromkeys(key for own in params.values() for key in own)
    keys = [key for key in every if len({_text(own.get(key)) for own in params.values()}) > 1]
    rows = {key: [_text(own.get(key)) for own in numbers.values()] for own in numbers.values() for key in own}
    for prefix, count in _grouped(keys).items():
        label = prefix if count == 1 else f"{prefix} ({count})"
        rows[label] = [_text(own[prefix]) if prefix in own else _names_below(prefix, own) for own in params.values()]
    return "\n\n".join(_tables(list(found), rows, width))


def _experiments(commits: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    """The workspace, and every commit with the experiments that began there."""
    for commit in commits:
        yield commit["name"] or commit["rev"][:9], commit["data"]
        for experiment in commit["experiments"] or []:
            newest = experiment["revs"][0]
            yield newest["name"] or newest["rev"][:9], newest["data"]


def _all(files: Mapping[str, Any]) -> Flat:
    return {key: value for file in files.values() for key, value in _flat(file.get("data") or {})}


def _flat(values: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", value


def _grouped(keys: list[str]) -> dict[str, int]:
    """Rows, about ``MOST`` at most, and how many keys each stands for: one, but for the largest maps if there are too
    many keys."""
    row_of = {key: key for key in keys}
    for depth in (2, 1):  # pruning.levels before all of pruning
        while len(rows := set(row_of.values())) > MOST:
            sizes = Counter(".".join(row.split(".")[:depth]) for row in rows if row.count(".") >= depth)
            largest, size = max(sizes.items(), key=lambda item: (item[1], item[0]), default=("", 1))
            if size == 1:
                break
            row_of |= dict.fromkeys((key for key in keys if key.startswith(f"{largest}.")), largest)
    return dict(Counter(row_of.values()))


def _names_below(prefix: str, own: Flat) -> str:
    parts = prefix.count(".") + 1
    names = dict.fromkeys(key.split(".")[parts] for key in own if key.startswith(f"{prefix}."))
    return ", ".join(names) or "-"


def _text(value: Any) -> str:
    return "-" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _tables(names: list[str], rows: Mapping[str, list[str]], width: int) -> Iterator[str]:
    """The rows, with as many experiments beside each other as fit; columns are as wide as they must be and may be."""
    label = max(map(len, rows), default=0)
    across = max(1, (width - label) // (NARROWEST + 2))
    for first in range(0, len(names), across):
        columns = [[name, *(row[place] for row in rows.values())] for place, name in enumerate(names)]
        shown = columns[first : first + across]
        widest = (width - label) // len(shown) - 2
        cells = [[_shortened(cell, widest).ljust(min(widest, max(map(len, own)))) for cell in own] for own in shown]
        lines = zip(["", *rows], *cells, strict=True)
        yield "\n".join("  ".join([key.ljust(label), *row]).rstrip() for key, *row in lines)


def _shortened(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"


if __name__ == "__main__":
    shown = subprocess.run(["dvc", "exp", "show", "--json", *sys.argv[1:]], stdout=subprocess.PIPE, check=False)
    if shown.returncode:
        sys.exit(shown.returncode)
    print(in_words(json.loads(shown.stdout), shutil.get_terminal_size((120, 50)).columns))
