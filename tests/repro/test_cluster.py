"""Stages as tasks of a real Ray cluster, several nodes on this machine: the books are those of ``dvc repro``."""

import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import MagicMock

import psutil
import pytest

from tests.repro.nodes import SETTINGS, Nodes, can_hide, nodes
from tests.repro.toy import ALL, PATIENCE, REPRO, Toy, copy, ran, wait
from winnow.repro import cluster as cluster_module
from winnow.repro import node
from winnow.repro.away import File, Freight
from winnow.repro.launch import Command

real_ray = pytest.importorskip("ray", reason="Ray is not installed")


@pytest.fixture(scope="module")
def cluster() -> Iterator[Nodes]:
    with tempfile.TemporaryDirectory(prefix="ray") as folder, nodes(Path(folder, "r")) as made:  # sockets: short paths
        made.add()
        made.add()
        yield made


def on(made: Nodes) -> dict[str, str]:
    return {**SETTINGS, "WINNOW_CLUSTER": made.address}


def over(process: int) -> bool:
    """Whether a process has ended, and waits at most to be asked how."""
    try:
        return psutil.Process(process).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_the_books_are_those_of_dvc_repro(cluster: Nodes, toy: Toy, by_dvc: Toy) -> None:
    status, printed = toy.run(*REPRO, **on(cluster))
    assert status == 0, printed
    assert ran(printed) == ALL
    assert "  made data/items/x/out\n" in printed
    assert toy.books() == by_dvc.books()
    assert "up to date" in toy.run("dvc", "repro")[1]


def test_stages_run_on_several_nodes_at_once(cluster: Nodes, toy: Toy) -> None:
    for stage in ("apart", "first"):
        toy.path(f"hold.{stage}").touch()
    with toy.start(*REPRO, **on(cluster)) as process:
        below = {node_of(cluster, toy.process_of(stage)) for stage in ("apart", "first")}
        for stage in ("apart", "first"):
            toy.path(f"hold.{stage}").unlink()
        process.communicate(timeout=PATIENCE)
    assert below == {0, 1}


def node_of(cluster: Nodes, process: int) -> int:
    above = [parent.pid for parent in psutil.Process(process).parents()]
    return next(number for number in cluster.alive() if cluster.processes[number].pid in above)


def test_a_stage_that_fails_stops_what_depends_on_it(cluster: Nodes, toy: Toy) -> None:
    toy.path("fail.left").touch()
    status, printed = toy.run(*REPRO, **on(cluster))
    assert status == 1
    assert re.search(r"^left failed \(exit status 1\) in .* s\n  error: in.txt: has no last line\n", printed, re.M)
    assert printed.endswith("failed: left; 1 that depend on it did not run\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_with_the_run_all_ends_that_it_started_and_the_next_one_goes_on(
    cluster: Nodes,
    toy: Toy,
    by_dvc: Toy,
    number: int,
) -> None:
    toy.path("hold.item@y").touch()
    with toy.start(*REPRO, **on(cluster)) as process:
        stage = toy.process_of("item@y")
        process.send_signal(number)
        printed = process.communicate(timeout=PATIENCE)[0]
    if number != signal.SIGKILL:
        assert process.returncode == 128 + number
        assert printed.endswith("interrupted; make repro goes on from here\n")
    assert "Traceback" not in printed
    wait(lambda: over(stage))
    toy.path("hold.item@y").unlink()
    status, printed = toy.run(*REPRO, **on(cluster))
    assert status == 0, printed
    assert "first" not in ran(printed)
    assert toy.books() == by_dvc.books()


def test_when_a_node_dies_its_stages_run_again_elsewhere(cluster: Nodes, toy: Toy, by_dvc: Toy) -> None:
    third = cluster.add()
    for stage in ("apart", "first"):
        toy.path(f"hold.{stage}").touch()
    toy.path("hold.third").touch()
    with toy.start(*REPRO, **on(cluster)) as process:
        where = {stage: node_of(cluster, toy.process_of(stage)) for stage in ("apart", "first")}
        victim = third if third in where.values() else 1
        if victim not in where.values():
            victim = max(where.values())
        (lost,) = (stage for stage, number in where.items() if number == victim)
        before = toy.process_of(lost)
        cluster.kill(victim)
        wait(lambda: over(before))
        for stage in ("apart", "first"):
            toy.path(f"hold.{stage}").unlink()
        printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, printed
    assert re.search(f"^{lost}: its (node|process) died; it goes on elsewhere$", printed, re.M)
    assert toy.books() == by_dvc.books()
    if len(cluster.alive()) < 2:
        cluster.add()


def test_a_process_of_ray_that_is_killed_time_and_again_ends_the_stage(cluster: Nodes, toy: Toy) -> None:
    toy.path("hold.apart").touch()
    with toy.start(*REPRO, "apart", **on(cluster)) as process:
        for _ in range(6):
            stage = psutil.Process(toy.process_of("apart"))
            toy.path("log/apart.begun").unlink()
            worker = next(above for above in stage.parents() if "ray::" in " ".join(above.cmdline()))
            worker.kill()
            wait(lambda stage=stage: not stage.is_running())
        printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 1
    assert printed.count("apart: its process died; it goes on elsewhere\n") == 5
    assert "error: was started 6 times, and each time its node or its process died" in printed


def test_a_run_waits_for_the_first_node(toy: Toy, by_dvc: Toy) -> None:
    with tempfile.TemporaryDirectory(prefix="ray") as folder, nodes(Path(folder, "r")) as made:
        made.add(cores=0)
        with toy.start(*REPRO, **on(made)) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "no node of the cluster has a core: waiting for one\n"
            made.add()
            process.communicate(timeout=PATIENCE)
    assert process.returncode == 0
    assert toy.books() == by_dvc.books()


def test_when_rays_head_dies_the_run_ends_in_words(toy: Toy) -> None:
    toy.path("hold.apart").touch()
    with tempfile.TemporaryDirectory(prefix="ray") as folder, nodes(Path(folder, "r")) as made:
        made.add()
        with toy.start(*REPRO, "apart", **on(made)) as process:
            stage = toy.process_of("apart")
            made.kill(0)
            printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode != 0
    assert "Traceback" not in printed
    wait(lambda: over(stage))


@pytest.mark.parametrize(
    ("device", "gpus", "computes", "wanted"),
    [
        ("", 0, True, {"num_cpus": 1}),
        ("", 1, True, {"num_cpus": 1, "num_gpus": 1}),
        ("", 1, False, {"num_cpus": 1}),
        ("cpu", 1, True, {"num_cpus": 1}),
        ("cuda:1", 0, True, {"num_cpus": 1, "num_gpus": 1}),
        ("cuda:2,cuda:3", 0, True, {"num_cpus": 1, "num_gpus": 2}),
        ("cpu,cpu", 1, True, {"num_cpus": 1}),
    ],
)
def test_what_a_stage_asks_for(
    tmp_path: Path, device: str, gpus: int, computes: bool, wanted: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [{"Alive": True, "Resources": {"CPU": 4, "GPU": gpus}}, {"Alive": False, "Resources": {"GPU": 1}}]
    ray = MagicMock()
    ray.nodes.return_value = found
    command = Command("true", tmp_path, {"WINNOW_DEVICE": device}, computes=computes)
    made = cluster_module.Cluster(ray, tmp_path, print)
    assert made.room() == 5
    assert made.resources(command) == wanted
    monkeypatch.setenv("WINNOW_MEMORY", "1.5")
    asked = cluster_module.Cluster(ray, tmp_path, print).resources(command).get("memory")
    assert asked == (1610612736 if computes else None)


def test_a_stage_has_ended_when_its_outputs_are_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ray = MagicMock(exceptions=real_ray.exceptions)
    ray.wait.return_value = ([1], [])
    ray.get.return_value = 0
    freight = Freight("s", (), (), ("out",))
    command = Command("true", tmp_path / "log", {}, freight=lambda: freight)
    running = cluster_module.Cluster(ray, tmp_path, print).start(command)
    assert running.ended() is None
    Path("out").touch()
    assert running.ended() == 0


@pytest.mark.parametrize(
    ("path", "apart", "computes", "where"),
    [
        ("data/in", False, True, "anywhere"),
        ("data/in", True, True, "on a trip"),
        ("data/in", True, False, "head"),
        ("../images", False, True, "head"),
        ("../images", True, True, "head"),
    ],
)
def test_where_a_stage_runs(
    tmp_path: Path, path: str, apart: bool, computes: bool, where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ray, freight = MagicMock(), Freight("s", (File(path, "", 0, 0),), (), ())
    environment = {"WINNOW_PROGRESS": str(tmp_path / "progress")}
    command = Command("true", tmp_path / "log", environment, freight=lambda: freight, computes=computes)
    made = cluster_module.Cluster(ray, tmp_path, print)
    made.apart, made.head = apart, "ab" * 28
    made.start(command)
    options = made.run.options.call_args.kwargs
    sent = made.run.options.return_value.remote.call_args.args
    found = options["scheduling_strategy"]
    assert (found == "SPREAD") == (where != "head")
    assert found == "SPREAD" or (found.node_id == "ab" * 28 and options["num_cpus"] == 0)
    assert (len(sent) == 3) == (where == "on a trip")


@pytest.mark.parametrize(
    ("device", "there"), [("cpu,cpu", "cpu,cpu"), ("cuda:1", "cuda"), ("cuda:2,cuda:3", "cuda:0,cuda:1")]
)
def test_a_node_numbers_its_own_devices(tmp_path: Path, device: str, there: str) -> None:
    ray = MagicMock()
    cluster_module.Cluster(ray, tmp_path, print).start(Command("true", tmp_path / "log", {"WINNOW_DEVICE": device}))
    (task,) = ray.remote.return_value.options.return_value.remote.call_args.args
    assert task.environment == {"WINNOW_DEVICE": there}


def test_a_size_of_memory_that_is_none_is_told(toy: Toy, user_error, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WINNOW_MEMORY", "8GB")
    with user_error("WINNOW_MEMORY=8GB: must be a number of GiB"):
        cluster_module.Cluster(MagicMock(), toy.folder, print)


def test_a_node_with_another_torch_is_refused(user_error) -> None:
    with user_error("has torch", "and this project 0.1: install the same there"):
        node._refuse({**node.versions(), "torch": "0.1"})


def test_without_the_variable_nothing_imports_ray(toy: Toy) -> None:
    toy.path("ray.py").write_text("raise SystemExit('Ray was imported')\n")
    assert toy.run(*REPRO)[0] == 0


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ("127.0.0.1:1", "WINNOW_CLUSTER=127.0.0.1:1: no cluster that this machine belongs to"),
        ("ray://127.0.0.1:10001", "WINNOW_CLUSTER=ray://127.0.0.1:10001: must be auto, or host:port"),
    ],
)
def test_an_address_without_a_cluster_is_told_in_one_line(toy: Toy, where: str, said: str) -> None:
    status, printed = toy.run(*REPRO, WINNOW_CLUSTER=where)
    assert status == 1
    assert printed.startswith(f"error: {said}")
    assert printed.count("\n") == 1


def test_without_ray_the_line_says_what_to_install(toy: Toy) -> None:
    toy.path("ray.py").write_text("raise ModuleNotFoundError('ray')\n")
    status, printed = toy.run(*REPRO, WINNOW_CLUSTER="auto")
    extra = "install the extra cluster of winnow, such as pip install '.[cluster]' in a clone"
    assert (status, printed) == (1, f"error: WINNOW_CLUSTER=auto: Ray is not installed: {extra}\n")


def test_a_node_without_memory_ends_a_stage_in_one_line(toy: Toy) -> None:
    # Ray counts as full what holds 1% of the machine's memory
    full = {"RAY_memory_usage_threshold": "0.01", "RAY_memory_monitor_refresh_ms": "100"}
    with tempfile.TemporaryDirectory(prefix="ray") as folder, nodes(Path(folder, "r")) as made:
        made.add(**full)
        toy.path("hold.apart").touch()
        status, printed = toy.run(*REPRO, "apart", **on(made))
    assert status == 1
    assert "  error: its node had no memory left, and Ray ended it" in printed
    assert "Traceback" not in printed


APART = """
stages:
  code:
    cmd: mkdir -p data/code && echo 'x  winnow/training/device.py' > data/code/early.txt
    outs: [data/code]
  first:
    cmd: mkdir -p data && cp in.txt data/first && ls networks
    deps: [in.txt]
    outs: [data/first]
  early:
    cmd: python -B -m networks.early
    params: [left]
    deps: [data/code/early.txt, data/first]
    outs: [data/early]
  last:
    cmd: cat data/early/result > metrics.json && ls in.txt
    deps: [data/early]
    metrics:
      - metrics.json: {cache: false}
"""

# counts to its parameter, and saves after each step; half way it waits for the file that params.yaml names
EARLY = """
import os, time
from pathlib import Path
state = Path(".winnow/early/h/state")
state.parent.mkdir(parents=True, exist_ok=True)
count = int(state.read_text()) if state.exists() else 0
print("process", os.getpid(), "begins at", count, "and sees", sorted(map(str, Path().glob("*"))), flush=True)
_, steps, _, gate = Path("params.yaml").read_text().split()
while count < int(steps):
    while count == int(steps) // 2 and not Path(gate).exists():
        time.sleep(0.01)
    count += 1
    state.with_name(".state.unfinished").write_text(str(count))
    state.with_name(".state.unfinished").replace(state)
Path("data/early").mkdir()
Path("data/early/result").write_text(Path("data/first").read_text() * count)
state.unlink()
"""


def test_a_stage_goes_on_on_another_node_where_none_sees_the_project(toy: Toy, tmp_path: Path) -> None:
    if not can_hide(tmp_path):
        pytest.skip("to hide the project from a node takes the right to mount")
    toy.path("networks").mkdir()
    with tempfile.TemporaryDirectory(prefix="ray") as folder, nodes(Path(folder, "r")) as made:
        gate = Path(folder, "gate")
        params = f"left: 150\ngate: {gate}\n"
        for name, text in {"dvc.yaml": APART, "networks/early.py": EARLY, "params.yaml": params}.items():
            toy.path(name).write_text(text)
        twin = copy(toy, tmp_path / "twin" / "project")
        gate.touch()
        assert twin.run("dvc", "repro")[0] == 0
        gate.unlink()
        made.add(cores=0)
        for _ in range(2):
            made.add(hidden=tmp_path)
        with toy.start(*REPRO, **on(made)) as process:
            log, state = toy.path(".winnow/logs/early.log"), toy.path(".winnow/early/h/state")
            wait(lambda: process.poll() is not None or (state.exists() and "begins" in log.read_text()))
            assert process.poll() is None, process.communicate()[0]
            made.kill(node_of(made, int(log.read_text().split()[1])))
            gate.touch()
            printed = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode == 0, printed
    assert re.search("^early: its (node|process) died; it goes on elsewhere$", printed, re.M)
    begun = re.search(r"process \d+ begins at (\d+) and sees (.*)", printed)
    assert begun and int(begun[1]) > 0
    assert begun[2] == "['.winnow', 'data', 'dvc.yaml', 'networks', 'params.yaml']"
    assert toy.books() == twin.books()
