import sys
import time
from pathlib import Path

import numpy as np
import pytest

from winnow.comparison.cost import Recorder, measured, passes
from winnow.experiment import Params, load_params
from winnow.recipe import expanded
from winnow.selection.choose import choose
from winnow.selection.evidence import Given


@pytest.fixture
def params(tmp_path: Path) -> Params:
    """The default experiment: ten networks in two cohorts, three of a source."""
    path = tmp_path / "params.yaml"
    path.write_text(expanded("default"))
    return load_params(path)


def reads(method: str, **options: object) -> list:
    rng = np.random.default_rng(0)
    evidence = Given(np.arange(40) % 4, 4, {"el2n": rng.random(40)}, rng.random((40, 3)))
    recorder = Recorder(evidence)
    choose(recorder, method, options, 8, 0)
    return recorder.reads


def test_the_passes_are_those_of_the_evidence_that_a_method_asks_for(params: Params) -> None:
    def found(*asked: tuple) -> tuple:
        return tuple(passes(list(asked), params).values())

    assert found(*reads("ranked", score="random", epoch=4)) == (0, 0, 0, 0)
    assert found(*reads("ranked", score="el2n", epoch=4)) == (10, 4, 40, 10)
    assert found(*reads("ccs", score="el2n", epoch=2)) == (10, 2, 20, 10)
    assert found(*reads("k_center", epoch=8)) == (1, 8, 8, 1)
    of_score = {"seeds": None, "source": None, "epoch": 8}
    assert found(("score", {**of_score, "name": "forgetting"})) == (10, 8, 80, 0)
    assert found(("score", {**of_score, "name": "input_norm"})) == (0, 0, 0, 0)
    assert found(("score", {**of_score, "name": "el2n", "seeds": range(2, 4)})) == (2, 8, 16, 2)
    assert found(("score", {**of_score, "name": "el2n", "source": "lenet"})) == (3, 8, 24, 3)
    assert found(("score", {**of_score, "name": "tdds"})) == (10, 8, 80, 50)  # scored at epochs 0, 1, 2, 4 and 8
    assert found(*reads("ranked", score="el2n", epoch=4), *reads("k_center", epoch=4)) == (10, 4, 40, 11)


def test_networks_that_train_without_labels_see_two_views_of_every_image(tmp_path: Path) -> None:
    path = tmp_path / "params.yaml"
    cohort = {"seeds": [500, 501, 502], "network": "small", "training": "short"}  # of 30 epochs
    path.write_text(expanded("default", {"pretrain": {"cohorts": {"p": cohort}}}))
    asked = {"seeds": None, "source": None, "epoch": 8, "name": "self_supervised_prototypes"}
    assert tuple(passes([("score", asked)], load_params(path)).values()) == (3, 30, 180, 3)


def test_seconds_and_memory_are_of_the_call_alone() -> None:
    held = np.ones(2**24)  # 128 MiB that were there before

    def call() -> list:
        new = np.ones(2**23)  # 64 MiB
        return [("sum", {"of": float(held[0] + new.sum())})]

    for _ in range(2):  # nor does the second find what the first had
        seconds, mib, found = measured(call)
        assert found == [("sum", {"of": 2.0**23 + 1})]
        assert 60 < mib < 90
        assert 0 < seconds < 60


def test_what_a_call_imports_does_not_count() -> None:
    def call() -> list:
        if "this" not in sys.modules:  # the Zen of Python, which nothing else imports
            import this  # noqa: F401

            time.sleep(1)
        return []

    assert measured(call)[0] < 0.5


def test_a_call_that_dies_is_no_silence(capfd: pytest.CaptureFixture[str]) -> None:
    def call() -> list:
        raise ValueError("no room")

    with pytest.raises(RuntimeError, match="ended with status 1"):
        measured(call)
    assert "no room" in capfd.readouterr().err
