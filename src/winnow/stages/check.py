"""Check the whole of params.yaml, so that a mistake in any section is reported before anything runs. Also list the code
that every stage runs: one list for each script, or one for each of its items if items use different methods."""

import json
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from winnow import methods
from winnow.datasets.build import SOURCES
from winnow.errors import UserError
from winnow.experiment import Params, load_params
from winnow.params.base import read_yaml
from winnow.params.download import REMOTE
from winnow.params.training import Network
from winnow.scores.families import OF_FILES, OF_GRADIENTS, WITHOUT_EPOCH
from winnow.scores.sources import cut_of, on, pretrained, run_of, split_of
from winnow.selection.choices import all_choices
from winnow.selection.choose import METHODS
from winnow.stages._code import Chosen, code_of, own_files
from winnow.stages._experiment import EXPERIMENT, LEVELS
from winnow.stages._stage import CODE, keep_only, main
from winnow.storage import atomic_folder
from winnow.tickets.rules import methods_of
from winnow.training.choosing import VISITS
from winnow.training.choosing import chosen as chosen_visits

LIBRARIES = ("winnow", "torch", "torchvision", "numpy", "scipy", "scikit-learn", "pandas", "pyarrow", "safetensors",
             "matplotlib", "pillow", "vl-convert-python", "dvc")  # fmt: skip


def is_missing(folder: str | None) -> bool:
    """Whether there is no such folder on this machine. What is on object storage DVC asks for, before the stage that
    reads it."""
    return folder is not None and not folder.startswith(REMOTE) and not Path(folder).is_dir()


def check() -> None:
    params, texts = found()
    keep_only(Path("data/early"), in_early(params))  # now, because later several stages may be reading it
    with atomic_folder(CODE) as folder:
        for name, text in texts.items():
            path = folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")


def found() -> tuple[Params, dict[str, str]]:
    """The params, and what the stage writes: the text of every file, by its path in data/code. Writes nothing."""
    params = load_params("params.yaml")
    if is_missing(params.download.path):
        raise UserError(
            f"params.yaml: download.path: {params.download.path}: no such folder; give the folder of your images"
        )
    for name, target in params.target.sets.items():
        if is_missing(target.path):
            raise UserError(
                f"params.yaml: target.sets.{name}.path: {target.path}: no such folder; give that of its images"
            )
    if params.labels.file and not Path(params.labels.file).is_file():
        raise UserError(f"params.yaml: labels.file: {params.labels.file}: no such file; give a csv or parquet, or null")
    for name, network in params.networks.items():
        check_own(f"params.yaml: networks.{name}", network)
    networks = [part.network for part in (params.early, params.retrain, params.dense)]
    networks += [source.network for source in params.transfer.sources.values()]
    networks += [cohort.network for cohort in params.pretrain.cohorts.values()]
    own = {path for network in networks for path in own_files(network)}
    values = json.loads(json.dumps(read_yaml("params.yaml"), sort_keys=True))  # in any order they mean the same
    del values["figures"]  # how pictures look
    texts = {"versions.json": _json(versions())}
    texts[EXPERIMENT.name] = _json(values)
    texts[LEVELS.name] = _json(values["pruning"]["levels"])
    for script in sorted(path.stem for path in Path(__file__).parent.glob("[a-z]*.py") if path.stem != "check"):
        for name, chosen in lists_of(script, params).items():
            texts[f"{name}.txt"] = code_of(f"winnow.stages.{script}", chosen, own)
    return params, texts


def _json(value: Any) -> str:
    """As ``storage.save_json`` writes it."""
    return f"{json.dumps(value, indent=2, allow_nan=False)}\n"


def in_early(params: Params) -> list[str]:
    """The names below data/early, where several stages write."""
    cohorts = list(params.early.cohorts)
    gradients = [f"{cohort}-{name}.safetensors" for cohort in cohorts for name in params.score.gradients]
    others = [*map(run_of, params.transfer.sources), *map(split_of, params.second_split.cohorts)]
    others += map(pretrained, params.pretrain.cohorts)
    others += map(cut_of, params.compression.levels)
    return [*cohorts, *gradients, *others, *map(on, params.target.sets)]


def versions() -> dict[str, str]:
    """The installed versions of the libraries that results depend on most, for the report."""
    return {name: version(name) for name in LIBRARIES}


def lists_of(script: str, params: Params) -> Mapping[str, Chosen]:
    """The lists of a script, by name, with the methods that each holds, by family. A list holds all methods of a family
    that it does not name."""
    if script in ("download", "target_download"):
        of_targets = {f"{script}/{name}": target.source for name, target in params.target.sets.items()}
        sources = {script: params.download.source} if script == "download" else of_targets
        return {name: {SOURCES: [source]} for name, source in sources.items()}
    if script == "score":
        families = {family: methods.names(family) for family in OF_FILES}
        asked = {family: sorted({*names} & {*params.score.scores}) for family, names in families.items()}
        return {script: {**asked, OF_GRADIENTS: []}}
    if script == "score_gradients":
        others = dict.fromkeys(OF_FILES, ())
        return {f"{script}/{name}": {**others, OF_GRADIENTS: [name]} for name in params.score.gradients}
    if script == "select":
        chosen = all_choices(params.select, params.sweep).values()
        return {script: {METHODS: sorted({choice.method for choice in chosen})}}
    visits = {name: {VISITS: [chosen_visits(name, values)[0]]} for name, values in params.retrain.visits.items()}
    levels = {name: methods_of(level) for name, level in params.pruning.levels.items()}
    by_item: dict[str, Mapping[str, Chosen]] = {"retrain_visits": visits, "prune": levels}
    if script in by_item:
        return {f"{script}/{name}": own for name, own in by_item[script].items()}
    # these two ask which scores have no epoch
    unread = {*OF_FILES, OF_GRADIENTS} - {*WITHOUT_EPOCH} if script in ("claims", "compare") else ()
    return {script: dict.fromkeys(unread, ())}


def check_own(key: str, network: Network) -> None:
    """Raise UserError if the file of the user's network, or of its starting weights, is missing."""
    module = Path(network.name.partition(":")[0].replace(".", "/"))
    if network.name.startswith("networks.") and not (module.with_suffix(".py").exists() or module.is_dir()):
        raise UserError(f"{key}.name: {network.name}: no file {module}.py")
    if network.weights and not Path(network.weights).is_file():
        raise UserError(f"{key}.weights: {network.weights}: no such file")


if __name__ == "__main__":
    main(check)
