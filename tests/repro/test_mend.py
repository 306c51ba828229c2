"""What a killed DVC leaves is mended; what a merge leaves is the user's."""

from pathlib import Path

import pytest

from winnow.repro.mend import COPY, LOCK, mend

WHOLE = "schema: '2.0'\nstages:\n  one:\n    cmd: echo\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    COPY.parent.mkdir()
    COPY.write_text(WHOLE)


def test_half_a_lock_comes_back_from_the_copy() -> None:
    LOCK.write_text(WHOLE[:20])
    assert len(mend()) == 1
    assert LOCK.read_text() == WHOLE
    assert mend() == []


def test_a_lock_with_the_marks_of_a_merge_stays_and_is_told(user_error) -> None:
    merged = f"<<<<<<< HEAD\n{WHOLE}=======\n{WHOLE}>>>>>>> other\n"
    for text in (merged, f"schema: '2.0'\n{merged}"):
        LOCK.write_text(text)
        with user_error("dvc.lock", "both sides of a merge", "git checkout --ours dvc.lock"):
            mend()
        assert LOCK.read_text() == text
