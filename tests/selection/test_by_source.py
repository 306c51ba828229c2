from winnow.selection.by_source import by_source
from winnow.selection.choices import choices


def test_methods_that_differ_in_the_source_alone_stand_beside_each_other():
    names = [
        "el2n",
        "el2n-fromx",
        "el2n-fromy",
        "el2n-epoch0",
        "loss-fromx",
        "loss",
        "margin",
        "random",
        "el2n-perclass",
    ]
    assert by_source(choices(names, 4)) == ["el2n", "el2n-fromx", "el2n-fromy", "loss-fromx", "loss"]
    assert by_source(choices({"random": {}, "far": {"method": "k_center"}, "el2n": {}}, 4)) == []
