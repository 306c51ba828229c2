"""The page: from an experiment's files to one HTML file, which needs no other and fetches nothing."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from winnow.claims.rules import VERDICTS
from winnow.datasets.images import Pixels
from winnow.page import charts, claims, compare, run
from winnow.page.figures import TITLES, Figure, section_of, with_others
from winnow.page.files import Files, table, values
from winnow.page.gallery import Images, gallery
from winnow.page.pictures import embedded
from winnow.page.tables import tables
from winnow.page.words import headline, in_numbers

ASSETS = Path(__file__).parent / "assets"
VERSIONS = "data/code/versions.json"
PICTURES = ("plots/pictures", "plots/ticket_pictures")


@dataclass(frozen=True)
class Experiment:
    """An experiment: its files, the values and the text of its params.yaml, and the pixels of its training images,
    uint8 [n, channels, height, width]."""

    files: Files
    params: Mapping[str, Any]
    params_text: str
    pixels: Pixels


def page(experiment: Experiment, others: Mapping[str, Files] | None = None) -> str:
    """The page of an experiment, as HTML; others: files of another experiment, by its name, to put beside it."""
    context = context_of(experiment, dict(others or {}))
    template = _environment().get_template("page.html.j2")
    return template.render(context, style=_asset("page.css"), script=_asset("page.js"), vega=_vega())


def context_of(experiment: Experiment, others: Mapping[str, Files]) -> dict[str, Any]:
    """All that the template shows."""
    files = experiment.files
    runs = {"this": files, **others}
    found = values(files, "metrics/claims.json")
    facts = values(files, "data/images/dataset.json")
    figures = [shown(figure, runs) for figure in with_others(_pictures(runs))]
    return {
        "source": facts.get("source", ""),
        "headline": headline(values(files, "metrics/summary.json"), found, table(files, "plots/differences.csv", OF)),
        "run": run.what_was_run(experiment.params, facts, experiment.pixels.shape),
        "claims": claims.rows(found),
        "verdicts": [verdict for verdict in VERDICTS if verdict in {entry["verdict"] for entry in found.values()}],
        "effects": charts.effects(runs),
        "sections": [
            (title, [figure for figure in figures if figure["section"] == name]) for name, title in TITLES.items()
        ],
        "tables": tables(files),
        "gallery": gallery(_images(experiment, facts)),
        "params": experiment.params_text,
        "environment": list(json.loads(files.read(VERSIONS) or b"{}").items()),
        "compared": [compare.compared(files, name, other) for name, other in others.items()],
    }


OF = ("method", "fraction", "baseline", "difference", "low", "high", "verdict")


def _pictures(runs: Mapping[str, Files]) -> list[str]:
    """The pictures that any of the experiments has."""
    return list(dict.fromkeys(name for files in runs.values() for folder in PICTURES for name in files.names(folder)))


def shown(figure: Figure, runs: Mapping[str, Files]) -> dict[str, Any]:
    """A figure as the template shows it: its texts, the pictures of all experiments, and its charts."""
    content = {name: files.read(figure.file) for name, files in runs.items()}
    rows = table(runs["this"], figure.data) if figure.value else None
    text = ""
    if rows is not None and figure.value in rows:
        for column, wanted in figure.where.items():
            rows = rows[rows[column] == wanted]
        text = in_numbers(rows, figure.value, figure.by)
    return {
        "title": figure.title,
        "slug": figure.file.rpartition("/")[2].rpartition(".")[0],
        "section": section_of(figure),
        "reading": figure.reading,
        "data": figure.data,
        "alt": " ".join(filter(None, [f"{figure.title}.", text])),
        "numbers": text,
        "pictures": {name: embedded(picture) for name, picture in content.items() if picture},
        "missing": [name for name, picture in content.items() if not picture],
        "charts": figure.chart(runs) if figure.chart else [],
    }


def _images(experiment: Experiment, facts: Mapping[str, Any]) -> Images:
    files = experiment.files
    suspects = table(files, "data/scores/suspects.csv", ("id", "predicted"))
    return Images(
        table=table(files, "data/scores/scores.parquet"),
        predicted=dict(zip(suspects["id"].astype(str), suspects["predicted"].astype(str), strict=True)),
        pixels=experiment.pixels,
        class_names=facts.get("class_names", []),
        source=str(facts.get("source", "")),
    )


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=select_autoescape(["j2"], default=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["as_json"] = as_json
    return environment


def as_json(value: Any) -> Markup:
    """A value as json that can stand in a script element: nothing in it can end the element or begin another."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False, ensure_ascii=False)
    return Markup(text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029"))  # noqa: S704


def _asset(name: str) -> Markup:
    return Markup((ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704 (our own)


def _vega() -> Markup:
    """Vega, Vega-Lite and Vega-Embed, which define vegaEmbed."""
    import vl_convert

    bundle: str = vl_convert.javascript_bundle(None)  # type: ignore[arg-type]  # its own types leave None out
    return Markup(bundle.replace("</script", "<\\/script").replace("<!--", "<\\!--"))  # noqa: S704 (a library's)
