"""The tree of levels."""

from winnow.params.imp import Level, line

LEVELS = {
    "l1": Level(parent="dense", rewind="dense", data="full", cut=0.2),
    "d0": Level(parent="dense", rewind="dense", data="full", variant="dense"),
    "l2": Level(parent="l1", rewind="dense", data="full", cut=0.2),
    "o1": Level(parent="d0", rewind="dense", data="full", variant="one_shot", cut=0.9),
}


def test_a_line_leads_from_dense_to_the_level():
    assert line(LEVELS, "dense") == ["dense"]
    assert line(LEVELS, "l2") == ["dense", "l1", "l2"]
    assert line(LEVELS, "o1") == ["dense", "d0", "o1"]
