"""Which methods the rules advise: each regime, and its borders."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from winnow.params.select import Select
from winnow.selection.advice import ADVISED, METHODS, RULES, Situation, advise, fraction, usable
from winnow.selection.choices import choices

SCARCE = Situation(images=9000, classes=10)
PLENTIFUL = Situation(images=54000, classes=10)


def advised(at: Situation, *keeps: float | int) -> list[tuple[str, float | int]]:
    return [(one.way.name, one.keep) for one in advise(at, list(keeps))]


def names(at: Situation, *keeps: float | int) -> list[str]:
    return [name for name, _ in advised(at, *keeps)]


def test_few_kept_of_a_scarce_set_take_strata_a_middle_and_a_window() -> None:
    assert names(SCARCE, 0.1) == ["ccs", "el2n-middle", "moderate"]
    assert names(replace(SCARCE, features=True), 0.1) == ["ccs", "moderate", "el2n-middle"]
    assert names(SCARCE, 0.5) == ["ccs", "el2n-window0.4", "moderate"]


@pytest.mark.parametrize(
    ("share", "of_class", "accuracy", "hardest"),
    [
        (0.7, 1000, None, True),  # most kept: ImageNet has 1,300 of a class
        (0.7, 999, None, False),
        (0.69, 3999, None, False),
        (0.5, 4000, None, True),  # half: MNIST and CIFAR-10 have more
        (0.5, 3999, None, False),
        (0.49, 54000, None, False),
        (0.1, 4000, 0.97, True),  # a tenth: of a set that is easy too
        (0.1, 4000, 0.96, False),
        (0.1, 3999, 0.99, False),
        (0.09, 4000, 0.99, False),  # MNIST: 14 points below random at 3%
    ],
)
def test_the_hardest_only_where_images_are_plentiful(
    share: float, of_class: int, accuracy: float | None, hardest: bool
) -> None:
    at = Situation(images=10 * of_class, classes=10, accuracy=accuracy)
    assert ("el2n" in names(at, share)) is hardest
    assert "el2n" not in names(replace(at, wrong=0.05), share)
    assert "el2n" not in names(replace(at, imbalance=5.0), share)


def test_the_hardest_are_for_no_set_whose_size_is_not_known() -> None:
    assert "el2n" not in names(Situation(images=None, classes=10, accuracy=0.99), 0.1, 0.5, 0.9)


@pytest.mark.parametrize(("share", "chosen"), [(0.01, True), (0.05, True), (0.051, False)])
def test_graph_cut_up_to_a_twentieth_of_right_labels(share: float, chosen: bool) -> None:
    assert ("graph_cut" in names(PLENTIFUL, share)) is chosen
    assert "graph_cut" not in names(replace(PLENTIFUL, wrong=0.01), share)


@pytest.mark.parametrize(
    ("share", "first"), [(0.01, "rs2"), (0.3, "rs2"), (0.31, "ccs"), (0.69, "ccs"), (0.7, "infobatch")]
)
def test_trainings_that_choose_as_they_go_where_fewer_images_save_time(share: float, first: str) -> None:
    at = replace(SCARCE, epochs=True)
    assert names(at, share)[0] == first
    assert not {"rs2", "infobatch"} & set(names(SCARCE, share))
    assert "rs2" not in names(replace(at, batch=2701), share)  # an epoch must have a batch
    assert "infobatch" not in names(replace(at, wrong=0.1), share)  # it keeps the images of high loss


def test_wrong_labels_need_a_cutoff_or_go_first() -> None:
    at = replace(SCARCE, wrong=0.18, detector="loss")
    assert advised(at, 0.3) == [("loss-easy", 0.8), ("ccs", 0.3), ("el2n-middle", 0.3)]
    assert dict(advise(at, [0.3])[1].way.options)["cutoff"] == 0.2  # not less than is wrong
    assert dict(advise(replace(at, wrong=0.4), [0.1])[1].way.options)["cutoff"] == 0.4
    assert dict(advise(replace(at, wrong=0.4), [0.8])[1].way.options)["cutoff"] == 0.2  # no room for more
    assert advised(replace(at, wrong=0.05), 0.3)[0] == ("loss-easy", 0.95)
    assert "loss-easy" not in names(replace(at, wrong=0.6), 0.3)  # it would leave out most of the images


def test_a_window_moves_from_hard_to_easy_as_fewer_are_kept_or_more_are_wrong() -> None:
    way = next(rule.way for rule in RULES if "window" in rule.title)
    assert [way(PLENTIFUL, share).name for share in (0.3, 0.31, 0.5, 0.8, 0.95)] == [
        "el2n-middle", "el2n-window0.59", "el2n-window0.4", "el2n-window0.1", "el2n-easy",
    ]  # fmt: skip
    assert way(replace(PLENTIFUL, wrong=0.2), 0.5).name == "el2n-window0.3"
    assert way(replace(PLENTIFUL, wrong=0.45), 0.3).name == "el2n-window0.25"  # the middle would keep some of them


def test_long_tails_get_quotas() -> None:
    tailed = replace(SCARCE, imbalance=5.0)
    assert names(tailed, 0.3) == ["drop", "random-equal", "ccs"]
    assert names(replace(tailed, validation=False), 0.3) == ["random-equal", "ccs", "el2n-middle"]
    assert names(replace(tailed, imbalance=4.9), 0.3) == ["ccs", "el2n-middle", "moderate"]
    assert names(replace(tailed, images=54000), 0.7)[1] == "el2n-equal"


def test_a_teacher_makes_random_images_do() -> None:
    kd = advise(replace(SCARCE, teacher=True), [0.1, 0.5])[0]
    assert (kd.way.key, kd.way.options["teacher"], kd.way.options["weight"], kd.keep) == (
        "retrain.recipes", "full", 0.9, 0.1,
    )  # fmt: skip
    assert advise(replace(SCARCE, teacher=True), [0.5])[0].way.options["weight"] == 0.5
    assert advise(replace(SCARCE, teacher=True, wrong=0.1), [0.5])[0].way.key == METHODS


def test_each_method_takes_the_smallest_share_that_it_is_for() -> None:
    assert advised(PLENTIFUL, 0.7, 0.01, 0.5) == [("el2n", 0.5), ("ccs", 0.01), ("graph_cut", 0.01)]
    assert advised(PLENTIFUL, 0.3, 540)[1] == ("graph_cut", 540)  # a count of images, 1%


def test_few_of_a_class_are_chosen_in_every_class() -> None:
    assert advise(SCARCE, [0.055])[2].way.options == {"per_class": True}  # 49.5 of a class
    assert advise(SCARCE, [0.056])[2].way.options == {}
    assert names(SCARCE, 0.055)[1] == "el2n-middle-perclass"
    assert names(SCARCE, 0.01) == ["graph_cut", "el2n-middle-perclass", "moderate"]  # ccs might leave a class out


def test_scores_and_features_have_epochs_of_their_own() -> None:
    at = replace(SCARCE, epoch=8, features=True, features_epoch=2)
    assert [dict(one.way.options) for one in advise(at, [0.1])] == [
        {"score": "el2n", "epoch": 8, "cutoff": 0.3}, {"epoch": 2}, {},
    ]  # fmt: skip
    assert names(at, 0.1)[2] == "el2n-epoch8-middle"


def test_usable_shares_leave_some_out_and_have_room_for_every_class() -> None:
    assert [usable(keep, SCARCE) for keep in (0.001, 0.0012, 9, 10, 8999, 9000)] == [
        False,
        True,
        False,
        True,
        True,
        False,
    ]
    assert usable(1, Situation(None, None)) and usable(0.0001, Situation(None, None))
    assert (fraction(90, 9000), fraction(0.3, None), fraction(90, None)) == (0.01, 0.3, 0.1)


@example(Situation(134, 2, None, 0.5, 1.0, None, features=False, validation=False, teacher=False, epochs=False), [0.75])
@given(
    st.builds(
        Situation,
        images=st.none() | st.integers(100, 10**6),
        classes=st.none() | st.integers(2, 50),
        epoch=st.none() | st.integers(1, 9),
        wrong=st.floats(0, 0.99),
        imbalance=st.floats(1, 1000),
        accuracy=st.none() | st.floats(0, 1),
        features=st.booleans(),
        validation=st.booleans(),
        teacher=st.booleans(),
        epochs=st.booleans(),
    ),
    st.lists(st.floats(0.01, 0.99), min_size=1, max_size=4, unique=True),
)
def test_there_are_always_three_different_methods_that_exist(at: Situation, keeps: Sequence[float]) -> None:
    there = [keep for keep in keeps if usable(keep, at)]
    if not there:
        return
    found = advise(at, there)
    assert len({one.way.name for one in found}) == ADVISED
    for one in found:
        assert 0 < one.keep < 1
        if one.way.key == METHODS:
            section = Select(
                methods={one.way.name: dict(one.way.options), "random": {}}, keep=[one.keep], epoch=1, seed=0
            )
            choice = choices(section.methods, 1)[one.way.name]
            start = choice.options.get("window")
            left = 1 - (start if isinstance(start, float) else 0) - choice.options.get("cutoff", 0)
            assert one.keep <= left + 1e-9  # so there is room
