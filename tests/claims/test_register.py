"""All claims at once: each is complete, and says something of any experiment."""

import json
import re
from pathlib import Path

import pytest

from tests.claims.made_up import diet, level, tickets, with_diet
from winnow.claims.register import CLAIMS, findings, in_words
from winnow.claims.results import Results
from winnow.claims.rules import NOT_COMPUTED, VERDICTS
from winnow.storage import save_json

NAMES = [*(f"D{i}" for i in range(1, 12)), *(f"U{i}" for i in range(1, 9)), "T1", "T2", "T3"]


def test_every_claim_is_there_and_complete():
    assert list(CLAIMS) == NAMES
    for claim in CLAIMS.values():
        assert re.fullmatch(r"[A-Z].*\.", claim.statement)
        assert re.fullmatch(r"[A-Z].*\.", claim.rule)
        assert re.search(r" 20\d\d, ", claim.source)
    assert len({claim.test for claim in CLAIMS.values()}) == len(CLAIMS)


def test_without_either_half_every_claim_says_what_would_compute_it(tmp_path: Path):
    found = findings(with_diet(diet()))
    assert {entry["verdict"] for entry in found.values()} == {NOT_COMPUTED}
    for entry in found.values():
        assert entry["effect"] is entry["low"] is entry["high"] is None
        assert re.match(r"(select|sweep|labels|early|ntk|transfer|pruning|dense|spawn)\.\w+: ", entry["why"])
    without = {name for name, entry in found.items() if entry["why"].startswith("pruning.levels: is empty")}
    assert without == {*(f"U{i}" for i in range(1, 9)), "T1", "T2", "T3"}
    save_json(tmp_path / "claims.json", found)
    assert json.loads((tmp_path / "claims.json").read_text()) == found


@pytest.mark.filterwarnings("error")
def test_one_replicate_sets_no_epsilon():
    levels = {"l1": level("dense"), "l2": level("l1"), "o2": level("dense", 0.75)}
    half = tickets(levels, dict.fromkeys(levels, 0.0))
    alone = half.verdicts.assign(epsilon=float("nan"), matching=None)
    found = findings(Results(diet(), tickets(levels, dict.fromkeys(levels, 0.0), verdicts=alone)))
    for name in ("U1", "U3", "U4", "U8", "T1"):
        assert found[name]["why"].startswith("dense.seeds: give three or more")


def test_in_words_there_is_a_line_for_every_claim():
    lines = in_words(findings(with_diet(diet()))).splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert all(any(verdict in line for verdict in VERDICTS) for line in lines)
