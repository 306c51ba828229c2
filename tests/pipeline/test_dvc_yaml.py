"""dvc.yaml says truly what every stage reads: else the cache could go stale, or reruns happen for nothing."""

import multiprocessing
import os
import re
import runpy
import sys
from functools import reduce
from operator import getitem
from pathlib import Path
from typing import Any

import pytest

from tests.pipeline.clone import ROOT, Clone, command, in_this_process, read_yaml, write_yaml
from tests.pipeline.conftest import made_once
from winnow.experiment import Params
from winnow.params.view import UndeclaredParameterError

pytestmark = pytest.mark.pipeline

STAGES = {name: entry.get("do", entry) for name, entry in read_yaml(ROOT / "dvc.yaml")["stages"].items()}
WITH_TORCH = {
    *(
        "early",
        "score_gradients",
        "transfer",
        "second_split",
        "pretrain",
        "compression",
        "target_outputs",
        "finetune",
        "finetune_ends",
        "ntk",
        "retrain",
        "retrain_sweep",
        "retrain_full",
        "retrain_visits",
        "retrain_recipes",
        "teacher",
        "rewind",
        "dense",
        "prune",
        "spawn",
        "perturbation",
    ),
    *("connectivity", "curvature", "tickets"),
}
# DVC keeps no runs of a stage with `persist`; connectivity itself finds again what it has measured
EXPENSIVE = ("download", "target_download", "labels", "select", *sorted(WITH_TORCH - {"tickets", "connectivity"}))
PARAMS = [(stage, key) for stage, entry in STAGES.items() for key in entry.get("params", [])]


def script(stage: str) -> str:
    found = re.match(r"exec python -B -m winnow\.stages\.(\w+)", STAGES[stage]["cmd"])
    assert found is not None
    return found[1]


def test_the_files_stay_short() -> None:
    """DVC's own time grows with them: every dvc command reads both, and each stage writes dvc.lock."""
    assert len(STAGES) <= 35
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 490
    assert len(lines(ROOT / "dvc.lock")) <= 4000  # a new key of trainings adds a line to each of 44 stages
    assert len(read_yaml(ROOT / "dvc.lock")["stages"]) <= 62


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "check"])
def test_every_stage_depends_on_the_list_of_its_code(stage: str) -> None:
    lists = [dep for dep in STAGES[stage]["deps"] if re.match(r"data/code/.*\.txt", dep)]
    items = {
        "score_gradients": "/${item.score}",
        "prune": "/${key}",
        "retrain_visits": "/${key}",
        "target_download": "/${key}",
    }  # whose items use methods of their own
    assert lists == [f"data/code/{script(stage)}{items.get(stage, '')}.txt"]


def test_every_script_has_its_list() -> None:
    assert STAGES["check"]["outs"] == ["data/code"]
    assert {script(stage) for stage in STAGES} == {path.stem for path in (ROOT / "src/winnow/stages").glob("[a-z]*.py")}


@pytest.mark.parametrize("stage", EXPENSIVE)
def test_expensive_stages_cache_all_that_they_write(stage: str) -> None:
    # one output with `cache: false` (a map in place of a plain name) would keep the stage out of DVC's run cache
    entry = STAGES[stage]
    assert [out for out in [*entry["outs"], *entry.get("metrics", [])] if not isinstance(out, str)] == []


@pytest.mark.parametrize(("stage", "key"), PARAMS)
def test_declared_params_are_in_the_schema_and_the_file(stage: str, key: str) -> None:
    model: Any = Params
    values = read_yaml(ROOT / "params.yaml")
    for part in re.sub(r"\.\$\{.*", "", key).split("."):
        assert part in values
        values = values[part]
        model = model.model_fields[part].annotation


def test_no_stage_declares_a_section_with_the_names_of_a_network_and_a_training() -> None:
    """It would not depend on what they stand for."""
    with_names = {key for key, section in Params.model_fields.items() if hasattr(section.annotation, "model_fields")
                  and {"network", "training"} & section.annotation.model_fields.keys()}  # fmt: skip
    assert with_names == {"early", "retrain", "dense", "target"}
    assert with_names.isdisjoint(key for _, key in PARAMS)
    read = {named(key) for _, key in PARAMS} - {""}
    # item: of transfer.sources and pretrain.cohorts, whose names are read by no stage that trains
    assert read == {f"{section}.{key}" for section in {*with_names, "item"} for key in ("network", "training")} - {
        "target.network"
    }


def named(key: str) -> str:
    """early.network of networks.${early.network}, which a stage reads by that name; "" of any other key."""
    found = re.fullmatch(r"(?:networks|trainings)\.\$\{(\w+\.\w+)\}", key)
    return found[1] if found else ""


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def nested(flat: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The params of dvc.lock, such as {early.epochs: [0]}, as sections, put into the values of another experiment."""
    for key, value in flat.items():
        *sections, last = key.split(".")
        inner = values
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
    return values


# Of every kind of stage one, of the clone's experiment
ITEMS = [
    "check",
    "download",
    "labels",
    "early@a",
    "score_gradients@b-grand",
    "transfer@other",
    "score",
    "ntk@b",
    "select",
    "retrain@el2n-0.5",
    "retrain_sweep@el2n-seeds1-0.5",
]
ITEMS += [
    "retrain_full",
    "compare",
    "figures",
    "dense",
    "rewind@early",
    "prune@l1",
    "spawn",
    "connectivity",
]
ITEMS += ["perturbation@p", "curvature@l1", "tickets", "ticket_figures", "claims", "report"]


# Of sections that are empty in the finished clone's experiment, as by default
IN_MORE = ["second_split@s", "pretrain@p", "compression@l1", "target_download@t", "target_outputs@t"]
IN_MORE += ["retrain_visits@rs2"]
IN_MORE += ["teacher@soft", "retrain_recipes@el2n-0.5-soft", "finetune@t-el2n-0.5", "finetune_ends@t-fresh"]


@pytest.fixture(scope="session")
def more(finished: Clone, shared: Path) -> Clone:
    """The finished clone with an item in each of these sections."""
    clone = Clone(shared / "more", finished.outside)

    def run() -> None:
        finished.copy(clone.folder)
        clone.set("second_split.cohorts", {"s": [400]})
        clone.set("pretrain.cohorts", {"p": {"seeds": [500, 501], "network": "lenet", "training": "short"}})
        clone.set("compression.levels", ["l1"])
        clone.set("target.sets", {"t": {"source": "digits", "path": None, "first": 100, "first_test": 50}})
        clone.set("retrain.visits", {"rs2": {"keep": 0.5}})
        clone.set("retrain.recipes", {"soft": {"teacher": "early", "weight": 0.5}})
        clone.make(*IN_MORE, "compare")

    made_once(clone, run)
    return clone


def holder(name: str, request: pytest.FixtureRequest) -> Clone:
    """The clone that has run this stage."""
    found: Clone = request.getfixturevalue("more" if name in IN_MORE else "finished")
    return found


def test_these_are_all_kinds() -> None:
    assert sorted(name.partition("@")[0] for name in ITEMS + IN_MORE) == sorted(STAGES)


@pytest.mark.parametrize("name", ITEMS + IN_MORE)
def test_a_stage_by_itself(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """In a folder that holds nothing but what dvc.yaml declares for it, with other values of all other params, other
    settings of the user and one worker in place of two, it writes the same bytes; and it imports nothing large that it
    does not need."""
    finished = holder(name, request)
    locked = read_yaml(finished.path("dvc.lock"))["stages"][name]
    own = Clone(tmp_path / "alone", finished.outside)
    paths = [dep["path"] for dep in locked["deps"]]
    code = [
        line.split()[1] for dep in paths if re.match(r"data/code/.*\.txt", dep) for line in lines(finished.path(dep))
    ]
    for path, content in finished.files("dvc.yaml", *paths, *code).items():
        own.path(path).parent.mkdir(parents=True, exist_ok=True)
        own.path(path).write_bytes(content)
    if "params" in locked:
        params, others = read_yaml(finished.path("params.yaml")), read_yaml(ROOT / "params.yaml")
        stage, _, item = name.partition("@")
        items = read_yaml(ROOT / "dvc.yaml")["stages"][stage].get("foreach", "").strip("${}")
        keys = [named(key) for key in STAGES[stage]["params"]]  # which network and training it uses
        keys = [key.replace("item.", f"{items}.{item}.") for key in keys if key]
        there = reduce(getitem, items.split("."), others) if items else []
        if isinstance(there, dict) and item not in there:  # DVC would have no such stage
            keys.append(f"{items}.{item}")
        keys += ["early.epochs", "early.features"] if "early.training" in keys else []  # else they may not fit it
        names = {key: reduce(getitem, key.split("."), params) for key in keys}
        write_yaml(
            own.path("params.yaml"),
            nested({**locked["params"]["params.yaml"], **names}, others),
        )
    # one worker: so all imports are this process's
    settings = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "HOME": str(tmp_path), "WINNOW_WORKERS": "1"}
    stage = name.partition("@")[0]
    run = in_a_fork if stage in WITH_TORCH else in_a_process
    status, printed, imported = run(own, name, own.environment(DVC_STAGE=name, **settings))
    assert (status, printed if status else "") == (0, "")
    paths = [out["path"] for out in locked["outs"]]
    assert own.files(*paths)
    assert own.files(*paths) == finished.files(*paths)
    assert ("matplotlib" in imported) == (stage in ("figures", "ticket_figures"))
    assert not imported & {"torchvision", "dvc"}
    assert stage in WITH_TORCH or "torch" not in imported


def in_a_process(own: Clone, name: str, environment: dict[str, str]) -> tuple[int, str, set[str]]:
    """A stage's exit status, what it printed, and the modules that it imported."""
    python, *arguments = command(name)
    done = own.run(python, "-X", "importtime", *arguments, **environment)
    printed = re.sub(r"^import time: .*\n", "", done.stdout, flags=re.MULTILINE)
    return done.returncode, printed, set(re.findall(r"^import time: .* (\S+)$", done.stdout, re.MULTILINE))


def in_a_fork(own: Clone, name: str, environment: dict[str, str]) -> tuple[int, str, set[str]]:
    """The same for a stage that imports torch, which takes seconds: a copy of this process has it already, and forgets
    what it knows of the project's code."""
    import torch  # noqa: F401

    log, list_of_modules = own.path("log"), own.path("imported")
    process = multiprocessing.get_context("fork").Process(
        target=forget_and_run, args=(own.folder, command(name)[3:], environment, log, list_of_modules)
    )
    process.start()
    process.join()
    return process.exitcode or 0, log.read_text(), set(list_of_modules.read_text().split())


def forget_and_run(folder: Path, words: list[str], environment: dict[str, str], log: Path, modules: Path) -> None:
    forgotten = ("winnow", "stages", "matplotlib", "torchvision", "dvc")  # what must be imported to be seen
    for module in [name for name in sys.modules if name.partition(".")[0] in forgotten]:
        del sys.modules[module]
    file = os.open(log, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(file, stream)
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__  # pytest catches what these would print
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = [str(folder), str(folder / "src")]
    sys.argv = words
    before = set(sys.modules)
    try:
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
    finally:
        modules.write_text("\n".join(sys.modules.keys() - before))


@pytest.fixture(scope="module")
def written(more: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose dvc.yaml each of the tests below writes, and in which no stage gets to its end."""
    return more.copy(tmp_path_factory.mktemp("written") / "clone")


@pytest.mark.parametrize(("stage", "key"), PARAMS)
def test_a_stage_cannot_read_what_it_does_not_declare(
    stage: str, key: str, written: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each declared key is left out in turn, which shows too that every one of them is read."""
    values = read_yaml(ROOT / "dvc.yaml")
    entry = values["stages"][stage]
    entry.get("do", entry)["params"].remove(key)
    write_yaml(written.path("dvc.yaml"), values)
    name = next(name for name in read_yaml(written.path("dvc.lock"))["stages"] if name.partition("@")[0] == stage)
    work = in_this_process(written, name, monkeypatch)
    with pytest.raises(UndeclaredParameterError, match=f"^{(named(key) or key).split('.')[0]}"):
        work()
