"""A few of the faults of each kind that make faults tries."""

from pathlib import Path

import pytest

from tests.faults import disks, flips, kills, others
from tests.faults.injected import COMPILER
from tests.faults.reference import Reference
from tests.faults.tried import try_all

pytestmark = pytest.mark.pipeline

CHOSEN = [(kills.trials, (2, 3, 9, 10)), (flips.trials, (2, 11)), (others.together, (1,)), (others.forbidden, (0,))]


@pytest.mark.skipif(COMPILER is None, reason="no C compiler to make the library that injects faults")
def test_a_run_that_met_a_fault_ends_in_the_same_bytes(tmp_path: Path) -> None:
    reference = Reference(tmp_path)
    chosen = [trial for trials, numbers in CHOSEN for trial in trials(reference) if trial.number in numbers]
    places = ("make repro: full while it writes an output", "make repro: full while it writes the state database")
    full = [trial for trial in disks.trials(reference) if trial.row in places]
    tried = list(try_all([*chosen, full[0], full[-1]], 0, tmp_path / "trials"))
    assert [one for one in tried if not one.survived] == []
    assert len(tried) == 10
