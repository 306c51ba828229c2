"""From a method's line to the levels of the comparison."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ruamel.yaml import YAML

from winnow import methods
from winnow.comparison.pruning.levels import GROUPS, WITHOUT_IMAGES, Measured, compared
from winnow.params.pruning import Level
from winnow.pruning.families import ALLOCATIONS, CRITERIA, DURING, STRUCTURES
from winnow.recipe import expanded
from winnow.tickets.rules import methods_of, rule_of

BASE = {"parent": "dense", "rewind": "dense", "data": "full"}


def of(densities: list[float], **level: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Measured]]:
    levels, measured = compared({"m": {**BASE, **level}}, densities)
    return levels, {each.level: each for each in measured}


def test_a_method_of_one_cut_has_a_level_and_three_checks_at_each_density() -> None:
    levels, measured = of([0.3, 0.025], criterion="taylor", prune=0.9)
    assert list(levels) == list(measured)
    assert list(levels)[:4] == ["m_30", "m_30_shuffled", "m_30_fresh", "m_30_inverted"]
    assert levels["m_2p5"] == {**BASE, "criterion": "taylor", "prune": 0.975}
    assert levels["m_30_shuffled"] == {**BASE, "parent": "m_30", "variant": "random"}
    assert levels["m_30_fresh"] == {**BASE, "parent": "m_30", "variant": "fresh"}
    assert levels["m_30_inverted"] == {**levels["m_30"], "inverted": True}
    assert measured["m_30"] == Measured("m_30", "m", 0.3, "", "after", 2, True, False, "rewind rest all dense full")
    assert measured["m_30_fresh"].trainings == 3


@given(
    st.lists(st.floats(0.01, 0.95), min_size=1, max_size=4, unique_by=lambda density: f"{density:.4f}"),
    st.floats(0.1, 0.8),
)
def test_cuts_of_an_iterated_method_lead_to_every_density(densities: list[float], prune: float) -> None:
    """Each cut prunes at most what the line says, and one cut fewer would not do."""
    falling = sorted((round(density, 4) for density in densities), reverse=True)
    levels, measured = of(falling, variant="imp", prune=prune)
    for level, about in measured.items():
        if about.check:
            continue
        left, trainings, name = 1.0, 1, level
        while name != "dense":
            assert levels[name]["prune"] <= prune + 1e-6
            left, trainings, name = left * (1 - levels[name]["prune"]), trainings + 1, levels[name]["parent"]
        assert left == pytest.approx(about.density, rel=1e-3)
        assert about.trainings == trainings
        assert about.group == "iterated"
    for level, values in levels.items():
        if re.fullmatch(r"m_[0-9p]+_cut1", level):  # several cuts: with all but one of them it would be too little
            place = falling.index(measured[level.removesuffix("_cut1")].density)
            before = falling[place - 1] if place else 1.0
            cuts = 1 + sum(name.startswith(level.removesuffix("1")) for name in levels)
            assert (1 - prune) ** (cuts - 1) * before > falling[place] - 1e-9, values


@pytest.mark.parametrize(
    ("level", "checks", "group", "trainings"),
    [
        ({"criterion": "random", "allocation": "erk", "prune": 0.5}, set(), "after", 2),
        ({"parent": "none", "criterion": "snip", "prune": 0.5}, {"shuffled", "fresh", "inverted"}, "before", 1),
        ({"parent": "none", "when": "gradual", "prune": 0.5}, {"shuffled", "fresh", "inverted"}, "during", 1),
        ({"parent": "none", "when": "movement", "prune": 0.5}, {"shuffled", "fresh"}, "during", 1),
        ({"parent": "none", "when": "edge_popup", "prune": 0.5}, set(), "during", 1),
        ({"when": "lottery_jackpots", "weights": "trained", "prune": 0.5}, {"inverted"}, "during", 2),
        ({"weights": "trained", "schedule": "no_training", "prune": 0.5}, {"inverted"}, "untrained", 1),
        ({"parent": "none", "criterion": "random", "when": "rigl", "prune": 0.5}, {"shuffled", "fresh"}, "during", 1),
        ({"allocation": "lamp", "prune": 0.5}, {"shuffled", "fresh"}, "after", 2),
        ({"variant": "perp", "prune": 0.5}, set(), "untrained", 2),
        ({"structure": "channels", "prune": 0.5}, {"fresh", "inverted"}, "patterned", 2),
    ],
)
def test_what_is_checked(level: dict[str, Any], checks: set[str], group: str, trainings: int) -> None:
    _, measured = of([0.5], **level)
    own = measured["m_50"]
    assert {each.check for each in measured.values()} == checks | {""}
    assert (own.group, own.trainings, own.channels) == (group, trainings, level.get("structure") == "channels")


@pytest.mark.parametrize(
    ("level", "images"),
    [
        ({"parent": "none", "criterion": "random", "when": "rigl"}, True),
        ({"parent": "none", "when": "sparse_evolution"}, False),
        ({"parent": "none", "when": "gradual"}, False),
        ({"criterion": "snip"}, True),
        ({"weights": "corrected"}, True),
        ({}, False),
    ],
)
def test_whether_images_decide(level: dict[str, Any], images: bool) -> None:
    _, measured = of([0.5], **level, prune=0.5)
    assert measured["m_50"].images == images


@pytest.mark.parametrize(
    ("level", "retraining"),
    [
        ({"criterion": "taylor"}, "rewind rest all dense full"),
        ({"criterion": "lrp", "allocation": "erk"}, "rewind rest all dense full"),  # differs in the cut alone
        ({"structure": "channels"}, "rewind rest all dense full"),
        ({"weights": "trained", "schedule": "last_rate"}, "trained last_rate all dense full"),
        ({"weights": "trained", "trains": "norms"}, "trained rest norms dense full"),
        ({"variant": "imp"}, ""),  # several cuts
        ({"weights": "trained", "schedule": "no_training"}, ""),
        ({"parent": "none", "criterion": "snip"}, ""),
        ({"weights": "trained", "when": "gradual"}, ""),
    ],
)
def test_what_follows_a_cut(level: dict[str, Any], retraining: str) -> None:
    _, measured = of([0.5], **level, prune=0.5)
    assert measured["m_50"].retraining == retraining


def test_a_pattern_has_the_density_that_it_says() -> None:
    levels, measured = of([0.3, 0.1], structure="n_of_m", n=1, m=4)
    assert [about.density for about in measured.values()] == [0.25] * 3
    assert list(levels) == ["m", "m_fresh", "m_inverted"]


def test_criteria_without_images_are_those_of_the_documentation() -> None:
    """In the table of docs/pruning.md they need nothing, or the shape of an image."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", Path("docs/pruning.md").read_text(), re.MULTILINE)
    needs = {name: what for name, what in rows if name in methods.names(CRITERIA)}
    assert sorted(name for name, what in needs.items() if what in ("nothing", "the shape of an image")) == sorted(
        WITHOUT_IMAGES
    )
    assert len(needs) == len(methods.names(CRITERIA))


@pytest.mark.parametrize("recipe", ["pruning-convnet", "pruning-resnet", "pruning-cifar10"])
def test_every_level_of_the_recipes_is_possible(recipe: str) -> None:
    values = YAML(typ="safe").load(expanded(recipe))["pruning"]
    levels, measured = compared(values["levels"], [0.3, 0.1])
    for name, level in levels.items():
        rule_of(name, Level(**level), 0)
    assert {about.group for about in measured} == set(GROUPS)


def test_the_recipe_has_every_method_but_four_and_the_documentation_counts_its_levels() -> None:
    """of_parent is the check "shuffled", by_hand is for one network, and soft_threshold and blocks take no density."""
    levels = YAML(typ="safe").load(expanded("pruning-convnet"))["pruning"]["levels"]
    used: dict[str, set[str]] = {}
    for level in levels.values():
        for family, names in methods_of(Level(**level)).items():
            used.setdefault(family, set()).update(names)
    left_out = {ALLOCATIONS: {"of_parent", "by_hand"}, DURING: {"soft_threshold"}, STRUCTURES: {"blocks"}}
    for family in (CRITERIA, ALLOCATIONS, DURING, STRUCTURES):
        assert set(methods.names(family)) - used[family] == left_out.get(family, set())
    for path in ("README.md", "docs/pruning.md"):
        assert re.search(rf"\b{len(levels)} ways\b", Path(path).read_text()), path
