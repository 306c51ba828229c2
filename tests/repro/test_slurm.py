"""examples/slurm.sh, where srun is a stand-in that starts a command on this machine, once for each task."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.repro.toy import ALL, PATIENCE, ROOT, Toy, ran

pytest.importorskip("ray", reason="Ray is not installed")

SRUN = """#!/bin/bash
tasks=1
while [[ $1 == --* ]]; do
    [[ $1 == --ntasks=* ]] && tasks=${1#--ntasks=}
    shift
done
trap 'kill $(jobs -p)' EXIT TERM
for ((task = 0; task < tasks; task++)); do
    echo "$@" >> srun.log
    "$@" &
done
wait
"""


def test_the_job_starts_ray_runs_the_pipeline_and_stops_ray(toy: Toy, by_dvc: Toy, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "srun").write_text(SRUN)
    (programs / "srun").chmod(0o755)
    activate = toy.path(".venv/bin/activate")
    activate.parent.mkdir(parents=True)
    activate.write_text(f"PATH={programs}:$PATH\n")
    given = {
        "SLURM_SUBMIT_DIR": str(toy.folder),
        "SLURMD_NODENAME": "127.0.0.1",
        "SLURM_JOB_ID": "4711",
        "SLURM_JOB_NUM_NODES": "3",
        "SLURM_CPUS_PER_TASK": "1",
    }
    with toy.start("bash", str(ROOT / "examples/slurm.sh"), **given) as process:
        printed = process.communicate(timeout=PATIENCE)[0]
    shutil.rmtree(Path(tempfile.gettempdir(), "ray-4711"), ignore_errors=True)
    assert process.returncode == 0, printed
    assert ran(printed) == ALL
    started = toy.path("srun.log").read_text().splitlines()
    assert [("--head" in line, "--address" in line) for line in started] == [
        (True, False),
        (False, True),
        (False, True),
    ]
    shutil.rmtree(toy.path(".venv"))
    assert toy.books() == by_dvc.books()
