"""Without tickets, and with one replicate of them, every stage that reads them all still has something to say."""

import json

import pytest

from tests.pipeline.clone import Clone, in_this_process

pytestmark = pytest.mark.pipeline


def run(clone: Clone, monkeypatch: pytest.MonkeyPatch, *stages: str) -> None:
    folders = [f"data/{name}" for name in ("rewind", "tickets", "spawn", "landscape", "magnitudes", "analysis")]
    clone.do("rm", "-rf", *folders, "plots", "metrics")
    for stage in stages:
        in_this_process(clone, stage, monkeypatch)()


def set_all(clone: Clone, **values: object) -> None:
    for key, value in values.items():
        clone.set(key.replace("__", "."), value)


CLAIMS = ("score", "select", "compare", "claims")
ALL_LEVELS = ("spawn", "connectivity", "tickets", "ticket_figures")


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_without_tickets_the_tables_are_empty(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    nothing = {"dense__seeds": [], "connectivity__matrix": [], "spawn__at": []}
    nothing |= {"pruning__levels": {}, "pruning__rewinds": {}, "perturbation__runs": {}, "curvature__levels": []}
    set_all(clone, **nothing)
    run(clone, monkeypatch, "check", "dense", *ALL_LEVELS, *CLAIMS)
    assert json.loads(clone.path("metrics/tickets.json").read_text()) == {}
    tables = clone.files("plots/tickets")
    assert len(tables) == 10
    assert [name for name, text in tables.items() if text.count(b"\n") != 1] == []
    assert clone.files("plots/ticket_pictures") == {}
    claims = json.loads(clone.path("metrics/claims.json").read_text())
    assert claims["U1"]["why"].startswith("pruning.levels: is empty")
    assert claims["D2"]["effect"] is not None
    summary = json.loads(clone.path("metrics/summary.json").read_text())
    assert set(summary) == {"full", "el2n", "random", "halves", "holds", "fails"}
    # and DVC takes empty maps for no stages at all
    assert clone.repro("--dry", "ticket_figures") != []


def test_one_replicate_is_measured_but_not_judged(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    level = {"parent": "dense", "rewind": "dense", "data": "full", "variant": "imp", "prune": 0.4}
    set_all(
        clone,
        dense__seeds=[200],
        pruning__levels={"l1": level},
        pruning__rewinds={},
        connectivity__matrix=["dense", "l1"],
    )
    set_all(clone, perturbation__runs={}, curvature__levels=[])
    run(clone, monkeypatch, "check", "dense", "prune@l1", *ALL_LEVELS, *CLAIMS)
    found = json.loads(clone.path("metrics/tickets.json").read_text())["l1"]
    assert found["matching"] is found["connected_to_parent"] is None
    assert found["barrier_to_parent"] >= 0
    pictures = {"errors", "layers", "lines", "magnitudes", "cuts_without_retraining", "barriers", "children"}
    pictures |= {"children_subsets", "early_stopping"}
    assert set(clone.files("plots/ticket_pictures")) == {f"plots/ticket_pictures/{name}.png" for name in pictures}
    claims = json.loads(clone.path("metrics/claims.json").read_text())
    assert claims["U2"]["why"].startswith("dense.seeds: give three or more")
