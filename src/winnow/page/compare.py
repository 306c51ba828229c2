"""Two experiments beside each other: their claims, headline numbers and params."""

from collections.abc import Mapping
from io import BytesIO
from typing import Any

from ruamel.yaml import YAML

from winnow.page.files import Files, values
from winnow.page.words import number

TABLES = ("metrics/claims.json", "metrics/summary.json", "plots/accuracy.csv", "plots/tickets/results.csv",
          "plots/pictures/accuracy.png", "plots/ticket_pictures/errors.png", "params.yaml")  # fmt: skip
NONE = "—"


def compared(files: Files, name: str, other: Files) -> dict[str, Any]:
    """What the page shows of this experiment and the other, by its name: rows of claims, numbers and params, and what
    the other lacks."""
    missing = [path for path in TABLES if files.read(path) is not None and other.read(path) is None]
    return {
        "name": name,
        "missing": missing,
        "claims": of_claims(values(files, "metrics/claims.json"), values(other, "metrics/claims.json")),
        "numbers": of_numbers(values(files, "metrics/summary.json"), values(other, "metrics/summary.json")),
        "params": of_params(_params(files), _params(other)),
    }


def of_claims(this: Mapping[str, Any], other: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Of every claim of either its statement, both verdicts and both reasons."""
    return [
        {
            "name": name,
            "statement": (this.get(name) or other[name])["statement"],
            "verdicts": [found.get(name, {}).get("verdict", NONE) for found in (this, other)],
            "why": [found.get(name, {}).get("why", NONE) for found in (this, other)],
        }
        for name in dict.fromkeys([*this, *other])
    ]


def of_numbers(this: Mapping[str, float], other: Mapping[str, float]) -> list[tuple[str, str, str, str]]:
    """Of every headline number of either its name, both values, and this minus the other."""
    rows = []
    for name in dict.fromkeys([*this, *other]):
        both = name in this and name in other
        difference = f"{round(this[name] - other[name], 6):+g}" if both else NONE
        here, there = (number(run[name]) if name in run else NONE for run in (this, other))
        rows.append((name, here, there, difference))
    return rows


def of_params(this: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Every key, such as early.epochs, whose value differs: its values here and there."""
    here, there = _flat(this), _flat(other)
    return [
        (key, str(here.get(key, NONE)), str(there.get(key, NONE)))
        for key in dict.fromkeys([*here, *there])
        if here.get(key, NONE) != there.get(key, NONE)
    ]


def _flat(values: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        if isinstance(value, dict) and value:
            found |= _flat(value, f"{above}{key}.")
        else:
            found[f"{above}{key}"] = value
    return found


def _params(files: Files) -> dict[str, Any]:
    content = files.read("params.yaml")
    return YAML(typ="safe").load(BytesIO(content)) if content else {}
