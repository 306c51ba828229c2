"""dvc.yaml says truly what every stage reads: else the cache could go stale, or reruns happen for nothing."""

import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from clone import ROOT, Clone, command, in_this_process, read_yaml, write_yaml

from winnow.params.view import UndeclaredParameterError
from winnow.params.whole import Params

pytestmark = pytest.mark.pipeline

STAGES = {name: entry.get("do", entry) for name, entry in read_yaml(ROOT / "dvc.yaml")["stages"].items()}
WITH_TORCH = {
    *("early", "score_gradients", "retrain", "retrain_full", "rewind", "dense", "imp", "spawn", "perturbation"),
    *("connectivity", "curvature", "tickets"),
}
EXPENSIVE = ("download", "labels", "select", *sorted(WITH_TORCH - {"tickets"}))
PARAMS = [(stage, key) for stage, entry in STAGES.items() for key in entry.get("params", [])]


def script(stage: str) -> str:
    found = re.match(r"exec python -m stages\.(\w+)", STAGES[stage]["cmd"])
    assert found is not None
    return found[1]


def test_the_files_stay_short() -> None:
    """DVC's own time grows with them: every dvc command reads both, and each stage writes dvc.lock."""
    assert len(STAGES) <= 22
    assert len((ROOT / "dvc.yaml").read_text().splitlines()) <= 330
    assert len(lines(ROOT / "dvc.lock")) <= 3000
    assert len(read_yaml(ROOT / "dvc.lock")["stages"]) <= 60


@pytest.mark.parametrize("stage", [stage for stage in STAGES if stage != "code"])
def test_every_stage_depends_on_the_list_of_its_code(stage: str) -> None:
    lists = [dep for dep in STAGES[stage]["deps"] if dep.startswith("data/code/")]
    assert lists == [f"data/code/{script(stage)}.txt"]


def test_every_script_has_its_list() -> None:
    scripts = {path.stem for path in (ROOT / "stages").glob("[a-z]*.py")} - {"code"}
    assert STAGES["code"]["outs"] == ["data/code"]
    assert {script(stage) for stage in STAGES} == scripts | {"code"}


@pytest.mark.parametrize("stage", EXPENSIVE)
def test_expensive_stages_cache_all_that_they_write(stage: str) -> None:
    # one output with `cache: false` (a map in place of a plain name) would keep the stage out of DVC's run cache
    entry = STAGES[stage]
    assert [out for out in [*entry["outs"], *entry.get("metrics", [])] if not isinstance(out, str)] == []


@pytest.mark.parametrize(("stage", "key"), PARAMS)
def test_declared_params_are_in_the_schema_and_the_file(stage: str, key: str) -> None:
    model: Any = Params
    values = read_yaml(ROOT / "params.yaml")
    for part in key.removesuffix(".${key}").split("."):
        assert part in values
        values = values[part]
        model = model.model_fields[part].annotation


@dataclass(frozen=True)
class Alone:
    """What a stage did in a folder that holds nothing but what dvc.yaml declares for it."""

    status: int
    printed: str
    imported: set[str]
    outs: dict[str, bytes]
    same_outs: bool


@pytest.fixture(scope="module")
def alone(finished: Clone, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Alone]:
    """Every stage of the finished run, run again by itself."""
    stages = read_yaml(finished.path("dvc.lock"))["stages"]
    folder = tmp_path_factory.mktemp("alone")

    def run(item: tuple[str, dict[str, Any]]) -> Alone:
        name, locked = item
        own = Clone(folder / name, finished.outside)
        paths = [dep["path"] for dep in locked["deps"]]
        code = [line.split()[1] for dep in paths if "data/code/" in dep for line in lines(finished.path(dep))]
        files = finished.files("dvc.yaml", *paths, *code)
        for path, content in files.items():
            own.path(path).parent.mkdir(parents=True, exist_ok=True)
            own.path(path).write_bytes(content)
        if "params" in locked:
            write_yaml(own.path("params.yaml"), nested(locked["params"]["params.yaml"]))
        python, *arguments = command(name)
        # one worker: the finished run had two, and all imports are then this process's
        elsewhere = {"TZ": "Asia/Kathmandu", "LC_ALL": "C", "PYTHONHASHSEED": "7", "HOME": str(folder)}
        done = own.run(python, "-X", "importtime", *arguments, DVC_STAGE=name, WINNOW_WORKERS="1", **elsewhere)
        imports = re.findall(r"^import time: .* (\S+)$", done.stdout, re.MULTILINE)
        printed = re.sub(r"^import time: .*\n", "", done.stdout, flags=re.MULTILINE)
        paths = [out["path"] for out in locked["outs"]]
        outs, expected = own.files(*paths), finished.files(*paths)
        return Alone(done.returncode, printed, set(imports), outs, outs == expected)

    with ThreadPoolExecutor(2) as threads:
        return dict(zip(stages, threads.map(run, stages.items()), strict=True))


def lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


def nested(flat: dict[str, Any]) -> dict[str, Any]:
    """The params of dvc.lock, such as {early.epochs: [0]}, as sections."""
    values: dict[str, Any] = {}
    for key, value in flat.items():
        *sections, last = key.split(".")
        inner = values
        for section in sections:
            inner = inner.setdefault(section, {})
        inner[last] = value
    return values


@pytest.mark.xdist_group("alone")
def test_every_stage_needs_only_what_it_declares(alone: dict[str, Alone]) -> None:
    assert {name: done.printed for name, done in alone.items() if done.status != 0} == {}


@pytest.mark.xdist_group("alone")
def test_results_depend_neither_on_the_path_nor_on_the_number_of_workers_nor_on_the_user(
    alone: dict[str, Alone],
) -> None:
    assert all(done.outs for done in alone.values())
    assert [name for name, done in alone.items() if not done.same_outs] == []


@pytest.mark.xdist_group("alone")
def test_stages_import_torch_only_where_they_train_and_torchvision_nowhere(alone: dict[str, Alone]) -> None:
    def importing(module: str) -> set[str]:
        return {name.partition("@")[0] for name, done in alone.items() if module in done.imported}

    assert importing("torch") == WITH_TORCH
    assert importing("torchvision") == set()
    assert importing("matplotlib") == {"figures", "ticket_figures"}
    assert importing("dvc") == set()


@pytest.fixture(scope="module")
def written(finished: Clone, tmp_path_factory: pytest.TempPathFactory) -> Clone:
    """A clone whose dvc.yaml each of the tests below writes, and in which no stage gets to its end."""
    return finished.copy(tmp_path_factory.mktemp("written") / "clone")


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
    with pytest.raises(UndeclaredParameterError, match=f"^{key.split('.', maxsplit=1)[0]}"):
        work()
