"""Figures that answer the pointer, as Vega-Lite specs: values and seeds on hover, lines on and off by a legend.

Every function takes the files of one experiment or of several, by name, and returns charts: maps of ``spec`` and
``series`` (name, colour, path of the marker, dashes), for the legend. A line is shown unless the spec's parameter
``hidden`` holds its name. Several experiments lie over each other: the first with solid lines, others with dashed ones.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pandas as pd

from winnow.analysis.comparison import DYNAMIC
from winnow.analysis.spread import spread
from winnow.claims.rules import CANNOT_TELL, FAILS, HOLDS
from winnow.page.files import Files, table, values
from winnow.report.ladder import line_names
from winnow.report.looks import Look, looks, score_title

Chart = dict[str, Any]

# Markers as paths, in a box from -1 to 1: by the names that pictures give them
PATHS = {
    "o": "M-.8,0A.8,.8,0,1,0,.8,0A.8,.8,0,1,0,-.8,0Z",
    "s": "M-.7,-.7H.7V.7H-.7Z",
    "^": "M0,-.9L.9,.7H-.9Z",
    "D": "M0,-1L.8,0L0,1L-.8,0Z",
    "v": "M0,.9L-.9,-.7H.9Z",
    "P": "M-.25,-.8H.25V-.25H.8V.25H.25V.8H-.25V.25H-.8V-.25H-.25Z",
    "X": "M-.8,-.45L-.45,-.8L0,-.35L.45,-.8L.8,-.45L.35,0L.8,.45L.45,.8L0,.35L-.45,.8L-.8,.45L-.35,0Z",
    "<": "M-.9,0L.7,-.9V.9Z",
}
PATHS |= {"x": PATHS["X"], "": ""}
DASHED = [5, 4]
VERDICTS = {
    HOLDS: Look("#0072B2", "o", "-"),
    FAILS: Look("#D55E00", "s", "-"),
    CANNOT_TELL: Look("#777777", "D", "-"),
}
OTHER_VERDICT = Look("#4B0055", "^", "-")
WIDE = 20  # largest over smallest value from which an axis is logarithmic


def accuracy(runs: Mapping[str, Files]) -> list[Chart]:
    """Test accuracy of every network against the fraction kept, and the mean of every method."""
    rows = _of_runs({name: table(files, "plots/accuracy.csv") for name, files in runs.items()})
    if rows.empty:
        return []
    rows = rows[rows["split"] == "test"]
    rows = rows.assign(series=rows["method"], x=100 * rows["fraction"], y=100 * rows["accuracy"])
    fractions = rows.groupby("method")["fraction"].transform("nunique")
    dynamic = rows["keep"].eq(DYNAMIC)
    rows["series"] = rows["series"].mask(dynamic, rows["series"] + " (dynamic)")
    lines = dynamic | rows["method"].eq("random") | fractions.eq(fractions.max())  # of a sweep there are single points
    subsets, full = rows[lines & (rows["method"] != "full")], rows[rows["method"] == "full"]
    tips = {"series": "method", "run": "results of", "x": "kept (%)", "images": "images", "seed": "seed",
            "y": "test accuracy (%)"}  # fmt: skip
    titles = ("fraction of the training images kept (%)", "test accuracy (%)")
    return [_lines(subsets, full, looks(["random", *rows["series"]]), tips, titles)]


def tickets(runs: Mapping[str, Files]) -> list[Chart]:
    """Test error of every ticket against the fraction of weights left, and the mean of every level."""
    rows = _of_runs({name: table(files, "plots/tickets/results.csv") for name, files in runs.items()})
    if rows.empty:
        return []
    rows = rows[rows["split"] == "test"]
    rows = rows.assign(x=100 * rows["density"], y=100 * rows["error"], series=line_names(rows))
    dense = rows["level"] == "dense"
    tips = {"series": "line", "run": "results of", "level": "level", "x": "weights left (%)", "seed": "seed",
            "y": "test error (%)"}  # fmt: skip
    look_of = {"dense": Look("#000000", "", "-"), **looks(rows["series"][~dense])}
    spec = _lines(rows[~dense], rows[dense].assign(series="dense"), look_of, tips,
                  ("fraction of the weights left (%)", "test error (%)"), ["level"])  # fmt: skip
    for layer in spec["spec"]["layer"]:
        if "x" in layer["encoding"]:
            layer["encoding"]["x"]["scale"] = {"type": "log", "reverse": True, "nice": False, "padding": 12}
    return [spec]


def detection(runs: Mapping[str, Files]) -> list[Chart]:
    """Precision over recall of every detector of wrong labels."""
    rows = _of_runs({name: table(files, "data/analysis/detection.parquet") for name, files in runs.items()})
    if rows.empty:
        return []
    names = rows["detector"].map(score_title) + rows["sample"].map({"in": "", "out": ", unseen"}).fillna("")
    rows = rows.assign(series=names, x=100 * rows["recall"], mean=100 * rows["precision"])
    look_of = looks(rows["series"])
    order = {"field": "x", "type": "quantitative"}
    encoding = {
        **_position("recall: wrong labels found (%)", "mean", "precision: wrong labels among those listed (%)"),
        "order": order, "tooltip": _tooltip({"series": "score", "run": "results of", "x": "recall (%)",
                                             "mean": "precision (%)"}, rows),
        **_colours(look_of), **_dashes(rows, look_of),
    }  # fmt: skip
    layers = [{"data": {"name": "rows"}, "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 12}},
               "encoding": encoding}]  # fmt: skip
    return [_chart({"rows": rows[["series", "run", "x", "mean"]]}, layers, look_of)]


def effects(runs: Mapping[str, Files]) -> list[Chart]:
    """The effect that decides each claim, with its interval: a chart for every unit."""
    rows = _of_runs(
        {
            name: pd.DataFrame(
                [{"claim": key, **entry} for key, entry in values(files, "metrics/claims.json").items()],
                columns=["claim", "statement", "verdict", "effect", "low", "high", "unit"],
            )
            for name, files in runs.items()
        }
    )
    if rows.empty:
        return []
    rows = rows.dropna(subset=["effect"]).rename(columns={"verdict": "series"})
    return [_effects(group, str(unit)) for unit, group in rows.groupby("unit", sort=False)]


def _effects(rows: pd.DataFrame, unit: str) -> Chart:
    look_of = {name: VERDICTS.get(name, OTHER_VERDICT) for name in rows["series"]}
    tips = {"claim": "claim", "run": "results of", "series": "verdict", "effect": unit, "low": "from", "high": "to",
            "statement": "statement"}  # fmt: skip
    place = {"y": {"field": "claim", "type": "nominal", "sort": None, "title": None, "axis": {"domain": False}},
             **({"yOffset": {"field": "run", "type": "nominal"}} if rows["run"].nunique() > 1 else {}),
             **_colours(look_of), "tooltip": _tooltip(tips, rows)}  # fmt: skip
    title = {"type": "quantitative", "title": unit}
    layers = [
        {"data": {"values": [{"zero": 0}]}, "mark": {"type": "rule", "color": "#999999"},
         "encoding": {"x": {"field": "zero", **title}}},
        {"data": {"name": "rows"}, "mark": {"type": "rule", "strokeWidth": 3, "opacity": 0.6},
         "encoding": {"x": {"field": "low", **title}, "x2": {"field": "high"}, **place, **_dashes(rows)}},
        {"data": {"name": "rows"}, "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
         "encoding": {"x": {"field": "effect", **title}, **place, **_shapes(look_of)}},
    ]  # fmt: skip
    chart = _chart({"rows": rows[[*tips, "unit"]]}, layers, look_of)
    return {
        **chart,
        "spec": {**chart["spec"], "height": 24 * rows["claim"].nunique() * rows["run"].nunique()},
        "unit": unit,
    }


def _lines(
    points: pd.DataFrame,
    levels: pd.DataFrame,
    look_of: Mapping[str, Look],
    tips: Mapping[str, str],
    titles: tuple[str, str],
    also: Sequence[str] = (),
) -> Chart:
    """Of every series its points, their mean as a line and its band, and level lines.

    points: columns series, run, x, y and those of ``tips`` (column: its name on the page); levels: likewise, one line
    at the mean of y for every series and run. also: columns that are the same at every place of a line.
    """
    means = spread(points, ["series", "run", "x", *also], "y").sort_values(["series", "run", "x"], kind="stable")
    level = spread(levels, ["series", "run"], "y")
    of_means = {"series": tips["series"], "run": "results of", **{name: name for name in also}, "x": tips["x"],
                "mean": f"mean {tips['y']}", "low": "16th percentile", "high": "84th percentile",
                "count": "seeds"}  # fmt: skip
    of_levels = {key: name for key, name in of_means.items() if key in level}
    marks = _colours(look_of)
    log = {"type": "log"} if _wide([*means["mean"], *level["mean"]]) else {"zero": False}
    at = {column: _position(titles[0], column, titles[1], log) for column in ("y", "mean", "low")}
    across = {"y": at["mean"]["y"]}
    layers: list[dict[str, Any]] = [
        {"data": {"name": "means"}, "mark": {"type": "area", "opacity": 0.15},
         "encoding": {**at["low"], "y2": {"field": "high"}, **marks, "detail": {"field": "run"}}},
        {"data": {"name": "level"}, "mark": {"type": "rule", "strokeWidth": 2},
         "encoding": {**across, **marks, **_dashes(level, look_of), "tooltip": _tooltip(of_levels, level)}},
        {"data": {"name": "means"}, "mark": {"type": "line", "strokeWidth": 2},
         "encoding": {**at["mean"], **marks, **_dashes(means, look_of), "detail": {"field": "run"}}},
        {"data": {"name": "points"}, "mark": {"type": "point", "filled": True, "size": 22, "opacity": 0.45},
         "encoding": {**at["y"], **marks, **_shapes(look_of), "tooltip": _tooltip(tips, points)}},
        {"data": {"name": "means"}, "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
         "encoding": {**at["mean"], **marks, **_shapes(look_of), "tooltip": _tooltip(of_means, means)}},
    ]  # fmt: skip
    kept = [*dict.fromkeys(["series", "run", "x", "y", *tips])]
    return _chart({"points": points[kept], "means": means, "level": level}, layers, look_of)


def _chart(data: Mapping[str, pd.DataFrame], layers: Iterable[dict[str, Any]], look_of: Mapping[str, Look]) -> Chart:
    shown = {"filter": "indexof(hidden, datum.series) < 0"}
    seen = {name for rows in data.values() for name in rows["series"]}
    spec = {
        "width": "container",
        "height": 340,
        "autosize": {"type": "fit-x", "contains": "padding"},
        "params": [{"name": "hidden", "value": []}],
        "datasets": {name: _records(rows) for name, rows in data.items() if len(rows)},
        "layer": [
            {**layer, "transform": [shown]} if "name" in layer["data"] else layer
            for layer in layers
            if len(data.get(layer["data"].get("name", ""), " "))
        ],
        "config": {"aria": False, "background": None, "font": "system-ui, sans-serif", "axis": {"gridColor": "#e6e6e6"},
                   "view": {"stroke": None}},
    }  # fmt: skip
    series = [{"name": name, "color": look.color, "path": PATHS[look.marker], "dash": _dash(look)}
              for name, look in look_of.items() if name in seen]  # fmt: skip
    return {"spec": spec, "series": series}


def _of_runs(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """The rows of all experiments, with the column run."""
    return pd.concat([rows.assign(run=name) for name, rows in tables.items() if len(rows)] or [pd.DataFrame()])


def _records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as json values: seven digits are more than a screen shows, and NaN is null."""
    return [
        {str(key): (None if pd.isna(cell) else float(f"{cell:.7g}") if isinstance(cell, float) else cell)
         for key, cell in row.items()}
        for row in rows.astype(object).to_dict("records")
    ]  # fmt: skip


def _position(x: str, column: str, y: str, scale: Mapping[str, Any] | None = None) -> dict[str, Any]:
    return {
        "x": {"field": "x", "type": "quantitative", "title": x, "scale": {"zero": False, "padding": 12}},
        "y": {"field": column, "type": "quantitative", "title": y, "scale": scale or {"zero": False}},
    }


def _colours(look_of: Mapping[str, Look]) -> dict[str, Any]:
    return {"color": _scale("series", {name: look.color for name, look in look_of.items()})}


def _shapes(look_of: Mapping[str, Look]) -> dict[str, Any]:
    return {"shape": _scale("series", {name: PATHS[look.marker] for name, look in look_of.items()})}


def _dashes(rows: pd.DataFrame, look_of: Mapping[str, Look] | None = None) -> dict[str, Any]:
    """Dashes tell experiments apart where there are several, else series."""
    runs = sorted(dict.fromkeys(rows["run"]), key=lambda run: run != "this")
    if len(runs) > 1:
        return {"strokeDash": _scale("run", {run: DASHED if i else [1, 0] for i, run in enumerate(runs)})}
    return {"strokeDash": _scale("series", {name: _dash(look) for name, look in (look_of or {}).items()})}


def _scale(field: str, values: Mapping[str, Any]) -> dict[str, Any]:
    scale = {"domain": list(values), "range": list(values.values())}
    return {"field": field, "type": "nominal", "scale": scale, "legend": None} if values else {"value": [1, 0]}


def _dash(look: Look) -> list[float]:
    if look.line == "--":
        return [6, 4]
    return [1, 0] if look.line == "-" else [2 * length for length in look.line[1]]


def _tooltip(names: Mapping[str, str], rows: pd.DataFrame) -> list[dict[str, Any]]:
    """What the pointer shows; of which experiment only where there are several."""
    several = rows["run"].nunique() > 1
    return [
        {"field": column, "title": title}
        | (
            {"type": "quantitative", "format": ".4~r"}
            if pd.api.types.is_float_dtype(rows[column])
            else {"type": "nominal"}
        )
        for column, title in names.items()
        if column != "run" or several
    ]


def _wide(numbers: Iterable[float]) -> bool:
    found = [number for number in numbers if not math.isnan(number)]
    return bool(found) and min(found) > 0 and max(found) >= WIDE * min(found)
