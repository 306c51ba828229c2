import numpy as np
import pandas as pd

from winnow.report.ladder import line_names


def names(*kinds):
    return list(line_names(pd.DataFrame(kinds, columns=["variant", "rewind", "data"])))


def test_a_line_is_named_by_what_tells_it_apart():
    assert names(("imp", "early", "full"), ("random", "early", "full")) == ["IMP", "random mask"]
    several = names(("imp", "early", "full"), ("imp", "easy", "full"), ("one_shot", "early", "full"))
    assert several == ["IMP, rewind early", "IMP, rewind easy", "one-shot"]
    on_less = names(("imp", "early", "full"), ("imp", "early", "el2n-0.5"))
    assert on_less == ["IMP", "IMP on el2n-0.5"]


def test_a_missing_rewind_point_is_not_named():
    assert names(("fresh", np.nan, "full"), ("fresh", "early", "full")) == [
        "fresh initialisation",
        "fresh initialisation, rewind early",
    ]


def test_an_unknown_variant_keeps_its_name_and_the_index_stays():
    table = pd.DataFrame({"variant": ["new"], "rewind": [""], "data": ["full"]}, index=[7])
    assert line_names(table).to_dict() == {7: "new"}
    assert line_names(table.iloc[:0]).empty
