import doctest
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import winnow.selection.names
from winnow.selection.names import parse_name


@st.composite
def methods(draw) -> tuple[str, dict[str, Any]]:
    score = draw(st.sampled_from(["el2n", "grand", "input_norm", "random"]))
    epoch = draw(st.none() | st.integers(0, 500))
    source = draw(st.none() | st.sampled_from(["lenet", "_2", "from", "epoch1", "Wide_8"]))
    window = draw(st.none() | st.sampled_from(["0", "0.1", "0.95", ".25", "0.0"]))
    part = draw(st.sampled_from([None, "easy", "middle", "ends"])) if window is None else None
    classes = draw(st.sampled_from([None, "perclass", "equal"]))
    seeds = draw(st.none() | st.integers(0, 20)) if source is None else None
    group = draw(st.none() | st.integers(0, 20)) if seeds is not None else None
    text = score
    text += f"-epoch{epoch}" if epoch is not None else ""
    text += f"-from{source}" if source is not None else ""
    text += f"-seeds{seeds}" if seeds is not None else ""
    text += f"-group{group}" if group is not None else ""
    text += f"-window{window}" if window is not None else ""
    text += f"-{part}" if part else ""
    text += f"-{classes}" if classes else ""
    options = {"score": score, "epoch": epoch, "seeds": seeds, "group": group}
    options |= {"source": source}
    options |= {"window": 0.0 if part == "easy" else part or (window and float(window))}
    options |= {"per_class": True if classes else None, "equal": True if classes == "equal" else None}
    return text, {name: value for name, value in options.items() if value is not None}


@given(methods())
def test_a_name_says_all(case):
    text, options = case
    assert parse_name(text) == options


def test_the_example_of_the_docstring():
    assert doctest.testmod(winnow.selection.names) == (0, 2)


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
        "el2n-equal-middle",
        "el2n-perclass-equal",
        "el2n-easy-ends",
        "el2n-window0.1-middle",
        "el2n-ends0.5",
        "el2n-window0.1-epoch4",
        "el2n-from",
        "el2n-fromä",
        "el2n-fromlenet-epoch4",
        "el2n-epoch4-epoch5",
        "el2n-seeds",
        "el2n-seeds-1",
        "el2n-seed1",
        "el2n-seeds1-epoch4",
        "el2n-group1",
        "el2n-seeds1-group",
        "el2n ",
        "el2n\n",
        "-perclass",
    ],
)
def test_other_names_are_refused_with_the_grammar(text):
    with pytest.raises(ValueError, match=r"is not a method; write SCORE\[-epochE\]"):
        parse_name(text)
