import doctest

import pytest
from hypothesis import given
from hypothesis import strategies as st

import winnow.subsets.method
from winnow.scores import names
from winnow.subsets.method import Method, parse_method


@st.composite
def methods(draw) -> tuple[str, Method]:
    score = draw(st.sampled_from(names.ALL))
    epoch = draw(st.none() | st.integers(0, 500)) if score in names.BY_EPOCH else None
    window = draw(st.none() | st.sampled_from(["0", "0.1", "0.95", ".25", "0.0"]))
    per_class = draw(st.booleans())
    text = score
    text += f"-epoch{epoch}" if epoch is not None else ""
    text += f"-window{window}" if window is not None else ""
    text += "-perclass" if per_class else ""
    return text, Method(score, epoch, float(window) if window is not None else None, per_class)


@given(methods())
def test_a_name_says_all(case):
    text, method = case
    assert parse_method(text) == method


def test_the_example_of_the_docstring():
    assert doctest.testmod(winnow.subsets.method) == (0, 1)


def test_only_scores_of_training_are_by_epoch():
    assert Method("el2n").by_epoch
    assert Method("grand").by_epoch
    assert not Method("random").by_epoch
    assert not Method("input_norm").by_epoch


@pytest.mark.parametrize(
    "text",
    [
        "",
        "EL2N",
        "el2n-top",
        "el2n-epoch",
        "el2n-epoch-1",
        "el2n-epoch1.5",
        "el2n-window",
        "el2n-window1",
        "el2n-window1.5",
        "el2n-window-0.1",
        "el2n-perclass-epoch4",  # in another order
        "el2n-window0.1-epoch4",
        "el2n-epoch4-epoch5",
        "el2n ",
        "el2n\n",
        "-perclass",
    ],
)
def test_other_names_are_refused_with_the_grammar(text):
    with pytest.raises(ValueError, match=r"is not a method; write SCORE\[-epochE\]"):
        parse_method(text)


def test_unknown_scores_and_epochs_without_meaning():
    with pytest.raises(ValueError, match="'el3n-epoch4': unknown score 'el3n'; there are el2n, forgetting, loss"):
        parse_method("el3n-epoch4")
    for text in ("random-epoch4", "input_norm-epoch0"):
        with pytest.raises(ValueError, match="does not change with training, so it has no epoch"):
            parse_method(text)
