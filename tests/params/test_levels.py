"""The tree of levels, and what a level's choices make of it."""

import pytest

from winnow import methods
from winnow.params.options import options
from winnow.params.presets import PRESETS, Choices
from winnow.params.pruning import Level, in_order, line, with_parents
from winnow.pruning.families import ALLOCATIONS, CRITERIA, DURING, STRUCTURES
from winnow.tickets.rules import rule_of


def level(parent: str, **choices: object) -> Level:
    return Level.model_validate({"parent": parent, "rewind": "dense", "data": "full", **choices})


LEVELS = {
    "l1": level("dense", prune=0.2),
    "d0": level("dense", variant="dense"),
    "l2": level("l1", prune=0.2),
    "o1": level("d0", variant="one_shot", prune=0.9),
    "s1": level("none", criterion="snip", prune=0.9),
    "s2": level("s1", prune=0.2),
}


def test_a_line_leads_from_dense_to_the_level_or_from_none():
    assert line(LEVELS, "dense") == ["dense"]
    assert line(LEVELS, "l2") == ["dense", "l1", "l2"]
    assert line(LEVELS, "o1") == ["dense", "d0", "o1"]
    assert line(LEVELS, "s2") == ["none", "s1", "s2"]
    pairs = [("dense", "l1"), ("dense", "d0"), ("l1", "l2"), ("d0", "o1"), ("s1", "s2")]
    assert with_parents(LEVELS) == pairs


def test_the_order_of_levels_is_that_of_the_presets_and_of_their_numbers():
    cuts = {name: level("dense", prune=0.2) for name in ("l10", "l2", "l02", "l2b10", "l2b9", "l")}
    others = {
        "f": level("l2", variant="fresh"),
        "a": level("dense", allocation="lamp", prune=0.5),
        "b": level("dense", variant="imp", prune=0.5),
    }
    found = list(in_order({**others, **cuts}))
    assert found == ["b", "l", "l02", "l2", "l2b9", "l2b10", "l10", "f", "a"]
    assert found == list(in_order(dict(reversed([*others.items(), *cuts.items()]))))


@pytest.mark.parametrize(
    ("choices", "kind"),
    [
        ({"prune": 0.2}, "imp"),
        ({"criterion": "magnitude", "weights": "rewind", "prune": 0.2}, "imp"),
        ({"max_error_rise": 0.1}, "adaptive"),
        ({"weights": "trained", "schedule": "last_rate", "prune": 0.2}, "fine_tuning"),
        ({"criterion": "random", "allocation": "of_parent"}, "random"),
        ({"criterion": "none", "weights": "fresh", "schedule": "full"}, "fresh"),
        ({"criterion": "none"}, "unpruned"),
        ({"criterion": "snip", "allocation": "erk", "prune": 0.2}, "snip+erk"),
        ({"allocation": "lamp", "max_error_rise": 0.2}, "lamp+adaptive"),
        ({"when": "gradual", "cuts": 5, "prune": 0.2}, "gradual+cuts=5"),
        ({"variant": "trial", "prune": 0.2}, "trial"),
    ],
)
def test_a_level_is_called_by_what_it_does(choices, kind):
    assert level("dense", **choices).kind == kind


def test_a_step_is_cut_from_a_trained_parent_and_rewound():
    steps = {name for name, preset in PRESETS.items() if step(variant=name, **amount(preset.amount))}
    assert steps == {"imp", "one_shot", "trial", "adaptive"}
    assert step(criterion="snip", allocation="lamp", prune=0.2)
    assert not step(when="gradual", prune=0.2)
    assert not step(weights="fresh", prune=0.2)
    assert not step("none", prune=0.2)


def step(parent: str = "dense", **choices: object) -> bool:
    return level(parent, **choices).is_step


def amount(key: str | None) -> dict[str, float]:
    return {key: 0.1} if key else {}


@pytest.mark.parametrize("variant", PRESETS)
def test_a_preset_is_the_rule_of_its_choices(variant):
    preset = PRESETS[variant]
    ours, usual = vars(preset.choices), vars(Choices())
    said = {key: value for key, value in ours.items() if value != usual[key]}
    named, spelt = (level("dense", **way, **amount(preset.amount)) for way in ({"variant": variant}, said))
    assert named.choices == spelt.choices
    for one, other in zip(*(vars(rule_of("x", way, 1)).values() for way in (named, spelt)), strict=True):
        assert getattr(one, "func", one) == getattr(other, "func", other)


def test_options_reach_the_functions_with_their_defaults():
    rule = rule_of("x", level("none", criterion="snip", batches=3, when="gradual", cuts=5, prune=0.8), 1)
    assert rule.criterion.keywords == {"batches": 3, "batch_size": 128}
    assert rule.during.keywords == {"begin": 0.0, "end": 0.75, "cuts": 5}
    assert (rule.fraction, rule.floor, rule.has_parent) == (0.8, 1, False)


def test_no_option_has_the_name_of_a_key_of_every_level():
    for family in (CRITERIA, ALLOCATIONS, DURING, STRUCTURES):
        for name in methods.names(family):
            assert not options(methods.find(family, name)).keys() & Level.model_fields.keys()


def test_rounds_are_those_that_the_criterion_is_meant_for():
    def rounds(**choices: object) -> dict[str, object]:
        return rule_of("x", level("none", prune=0.8, **choices), 1).rounds.keywords

    assert rounds(criterion="synflow") == {"comes_back": False, "rounds": 100, "inverted": False}
    assert rounds(criterion="synflow", rounds=5)["rounds"] == 5
    assert rounds(criterion="synflow", when="gradual")["rounds"] == 1
    assert rounds(criterion="force", inverted=True) == {"comes_back": True, "rounds": 10, "inverted": True}
    assert rounds(criterion="snip")["rounds"] == 1


def test_a_level_that_ranks_nothing_takes_no_rounds():
    with pytest.raises(ValueError, match=r"^pruning.levels.x.rounds: no such key"):
        rule_of("x", level("dense", criterion="none", weights="fresh", rounds=2), 1)
