"""params.yaml as a whole: what we ship is right, and every mistake is told in one line that helps."""

import re
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from winnow.errors import UserError
from winnow.experiment import Params, load_params
from winnow.params.base import read_yaml, validate
from winnow.params.download import Download
from winnow.params.early import Early
from winnow.params.named import load_named
from winnow.recipe import DEFAULT
from winnow.selection.choices import choices

# An experiment without tickets, of which the tests below say only what they change
BASE = """
early: {cohorts: {a: [0, 1, 2, 3, 4]}, epochs: [0, 1, 2, 5, 10]}
trainings: {short: {length: 20 epochs}}
select: {keep: [0.3, 0.5, 0.7], epoch: 10}
sweep: {methods: [], keep: []}
retrain: {seeds: [100, 101, 102]}
transfer: {sources: {}}
pruning: {rewinds: {}, levels: {}}
connectivity: {matrix: []}
spawn: {at: []}
perturbation: {runs: {}}
curvature: {levels: []}
"""


def complete(changes: str) -> dict[str, Any]:
    """The values of a params file that differs from BASE, and the default experiment, by these sections."""
    values = read_yaml(DEFAULT)
    for text in (BASE, changes):
        for section, content in (YAML(typ="safe").load(text) or {}).items():
            if section in ("networks", "trainings") and isinstance(content, dict):
                values[section] |= {name: merged(values[section].get(name), item) for name, item in content.items()}
            else:
                values[section] = merged(values.get(section), content)
    return values


def merged(old: Any, new: Any) -> Any:
    return {**old, **new} if isinstance(old, dict) and isinstance(new, dict) else new


def write(path: Path, changes: str) -> Path:
    with path.open("w") as file:
        YAML().dump(complete(changes), file)
    return path


@pytest.fixture
def mistake(tmp_path, user_error):
    """Checks that params with these changes give one line that names the file and holds these texts."""

    def check(changes: str, *parts: str) -> None:
        path = write(tmp_path / "params.yaml", changes)
        with user_error(path, *parts):
            load_params(path)

    return check


def test_what_the_tests_change_is_right(tmp_path):
    load_params(write(tmp_path / "params.yaml", ""))


def test_a_value_stays_as_it_is_written(tmp_path):
    text = "trainings: {short: {weight_decay: 5e-4}}\nselect: {keep: [0.1, 1, 500, .5]}"
    params = load_params(write(tmp_path / "p.yaml", text))
    assert params.trainings["short"].weight_decay == 0.0005  # PyYAML takes 5e-4 for a text
    assert [type(keep) for keep in params.select.keep] == [float, int, int, float]


# Keys


def test_misspelt_keys(mistake):
    mistake("early: {epoch: [0]}", "early.epoch: no such key", "did you mean epochs?")
    mistake("trainings: {short: {learning_rat: 1}}", "trainings.short.learning_rat:", "did you mean learning_rate?")
    mistake("trainings: {short: {augment: {flop: true}}}", "trainings.short.augment.flop:", "did you mean flip?")
    mistake("labels: {xyzzy: 1}", "labels.xyzzy: no such key; there are file, column, right, noise, seed")


def test_misspelt_sections(mistake):
    mistake("erly: {epochs: [0]}", "erly: no such key; did you mean early?")
    mistake("xyzzy: 1", "xyzzy: no such key; there are networks, trainings, download")


def test_keys_that_are_not_text(mistake):
    mistake("1: 2", "1: a key must be text, not 1")
    mistake("early: {cohorts: {0: [0]}}", "early.cohorts.0: a key must be text, not 0")


def test_two_mistakes_are_counted(mistake):
    mistake(
        "labels: {noise: 2}\nfigures: {dpi: 5, font_size: x}", "labels.noise: must be at most 1.0, not 2 (and 2 more"
    )


def test_every_key_must_be_given(tmp_path, user_error):
    """But for those of a network and a training, which have defaults, and download's."""
    whole = complete("")
    for section in whole.keys() - {"networks", "trainings", "download"}:
        for key in whole[section]:
            values = {**whole, section: {k: v for k, v in whole[section].items() if k != key}}
            with (tmp_path / "params.yaml").open("w") as file:
                YAML().dump(values, file)
            with user_error(f"{section}.{key}: is missing; it must be given"):
                load_params(tmp_path / "params.yaml")


def test_networks_and_trainings_are_given_by_name(mistake):
    mistake("early: {network: large}", 'early.network: must be one of networks, which are small, lenet, not "large"')
    mistake("dense: {training: 3}", "dense.training: must be one of trainings, which are short, not 3")
    mistake("retrain: {network: }", "retrain.network: must be one of networks, which are small, lenet, not null")
    mistake("trainings: {a-b: {}}", "trainings.a-b: a name is made of letters, digits and _")
    mistake("networks: [small]", "networks: must be a map of names to values")


def test_a_network_that_is_not_given_by_name_is_told_how_to(mistake):
    mistake(
        "early: {network: {name: convnet, width: 4}}",
        'early.network: must be a name now: write networks: {NAME: {"name": "convnet", "width": 4}}',
        "and network: NAME here",
    )
    mistake("retrain: {training: {length: 3 epochs}}", "retrain.training: must be a name now: write trainings: {NAME:")


def test_sections_that_name_the_same_training_share_it(tmp_path):
    params = load_params(write(tmp_path / "params.yaml", "trainings: {short: {decay: 0.3}, long: {length: 40 epochs}}\n"
                               "dense: {training: long}"))  # fmt: skip
    assert params.early.training is params.retrain.training
    assert (params.early.training.decay, params.dense.training.length) == (0.3, "40 epochs")


# Types and ranges


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainings: {short: {learning_rate: '0.1'}}", 'trainings.short.learning_rate: must be a number, not "0.1"'),
        ("trainings: {short: {batch_size: 1.5}}", "trainings.short.batch_size: must be a whole number, not 1.5"),
        ("trainings: {short: {batch_size: true}}", "trainings.short.batch_size: must be a whole number, not true"),
        ("trainings: {short: {nesterov: 1}}", "trainings.short.nesterov: must be true or false, not 1"),
        (
            "trainings: {short: {decay_at: 3 epochs}}",
            'trainings.short.decay_at: must be a list, in brackets, not "3 ep',
        ),
        ("early: {cohorts: [0, 1]}", "early.cohorts: must be a map of names to values, not [0, 1]"),
        ("early: {cohorts: {a: 3}}", "early.cohorts.a.seeds: must be a list, in brackets, not 3"),
        ("early: {cohorts: {a: [0.5]}}", "early.cohorts.a.seeds.0: must be a whole number, not 0.5"),
        (
            "networks: {small: resnet8}",
            'networks.small: must be a section with keys of its own, not "resnet8"',
        ),
        ("retrain:", "retrain: must be a section with keys of its own, not null"),
        ("download: {path: 3}", "download.path: must be text, not 3"),
        ("download: {source: }", "download.source: must be text"),
        ("figures: {per_class: [1, 2]}", "figures.per_class: must be a whole number, not [1, 2]"),
    ],
)
def test_wrong_types(mistake, text, message):
    mistake(text, message)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("trainings: {short: {learning_rate: 0}}", "trainings.short.learning_rate: must be above 0, not 0"),
        ("trainings: {short: {learning_rate: .inf}}", "trainings.short.learning_rate: must be a finite number"),
        ("trainings: {short: {weight_decay: .nan}}", "trainings.short.weight_decay: must be"),
        ("trainings: {short: {momentum: 1}}", "trainings.short.momentum: must be below 1"),
        ("trainings: {short: {decay: 1.5}}", "trainings.short.decay: must be at most 1"),
        ("trainings: {short: {batch_size: 0}}", "trainings.short.batch_size: must be at least 1, not 0"),
        ("early: {cohorts: {a: [-1]}}", "early.cohorts.a.seeds.0: must be at least 0, not -1"),
        ("early: {cohorts: {a: [9223372036854775808]}}", "early.cohorts.a.seeds.0: must be below 9223372036854775808"),
        ("networks: {small: {width: 0}}", "networks.small.width: must be at least 1, not 0"),
        ("download: {validation: 1}", "download.validation: must be below 1"),
        ("download: {first: 0}", "download.first: must be at least 1, not 0"),
        ("labels: {noise: 1.1}", "labels.noise: must be at most 1"),
        ("download: {long_tail: 1}", "download.long_tail: must be above 1, not 1"),
        ("figures: {dpi: 5}", "figures.dpi: must be at least 50, not 5"),
        ("download: {size: [0, 3]}", "download.size: must be [height, width] in pixels, such as [32, 32]"),
        ("download: {size: 32}", "download.size: must be [height, width]"),
        ("trainings: {short: {momentum: 0}}", "trainings.short: nesterov: true needs a momentum above 0"),
    ],
)
def test_out_of_range(mistake, text, message):
    mistake(text, message)


@pytest.mark.parametrize(
    "length", ["20", "20 epoch s", "epochs", "1.5 epochs", "-1 epochs", "20epochs", "[20, epochs]"]
)
def test_durations_need_a_unit(mistake, length):
    mistake(f"trainings: {{short: {{length: {length}}}}}", "trainings.short.length: ", 'such as "20 epochs"')
    mistake(f"trainings: {{short: {{decay_at: [{length}]}}}}", "trainings.short.decay_at.0: ", 'such as "20 epochs"')


# Cohorts and seeds


def test_a_cohort_may_leave_out_folds(mistake):
    mistake(
        "early: {cohorts: {a: {seeds: [0, 1, 2], folds: 2}}}",
        "early.cohorts.a: has 3 seeds for 2 folds; give a multiple of 2 seeds",
    )
    mistake("early: {cohorts: {a: {seeds: [0], folds: 1}}}", "early.cohorts.a.folds: must be at least 2, not 1")
    mistake("early: {cohorts: {a: {folds: 2}}}", "early.cohorts.a.seeds: is missing; it must be given")
    mistake("early: {cohorts: {a: {seed: [1]}}}", "early.cohorts.a.seed: no such key; did you mean seeds?")
    mistake("early: {cohorts: {a: [0], b: {seeds: [0, 1], folds: 2}}}", "early.cohorts: seed 0 is in cohorts a and b")
    mistake(
        "early: {cohorts: {a: {seeds: [7, 8], folds: 2}}}\nretrain: {seeds: [7]}",
        "retrain.seeds: 7 is a seed of early.cohorts too",
    )


def test_a_cohort_may_train_on_a_share(mistake):
    mistake("early: {cohorts: {a: {seeds: [0], share: 1.0}}}", "early.cohorts.a.share: must be below 1")
    mistake(
        "early: {cohorts: {a: {seeds: [0, 1], folds: 2, share: 0.7}}}",
        "early.cohorts.a: has folds and a share; give one of them",
    )


def test_memorization_needs_parts(mistake):
    asked = "score: {scores: [el2n, memorization]}\n"
    mistake(asked, "score.scores: memorization needs networks that trained on parts", "{seeds: [10, 11, 12, 13], share")
    one = "early: {cohorts: {a: [0, 1, 2, 3, 4], m: {seeds: [10], share: 0.7}}}\n"
    mistake(asked + one, "early.cohorts.m: has one seed", "memorization compares the two; give more seeds")
    parts = asked + "early: {cohorts: {a: [0, 1, 2, 3, 4], m: {seeds: [10, 11], share: 0.7}}}\n"
    mistake(
        parts + "select: {methods: [memorization-seeds2, random]}",
        "select.methods: 'memorization-seeds2': memorization is of all seeds together: leave out seeds",
    )
    mistake(
        parts + "transfer: {sources: {other: {seeds: [7], network: small, training: short}}}\n"
        "select: {methods: [memorization-fromother, random]}",
        "sources do not have memorization",
    )


def test_second_split_forgetting_needs_its_seeds(mistake):
    asked = "score: {scores: [el2n, second_split_forgetting]}\n"
    mistake(
        asked, "score.scores: second_split_forgetting needs seeds that train on two halves in turn", "{s: [400, 401]}"
    )
    mistake(
        "second_split: {cohorts: {s: [400, 2]}}", "second_split.cohorts.s: 2 is in early.cohorts.a too; give new seeds"
    )
    mistake(
        "second_split: {cohorts: {s: [400], t: [400]}}", "second_split.cohorts.t: 400 is in second_split.cohorts.s too"
    )
    mistake("second_split: {cohorts: {s: []}}", "second_split.cohorts.s: must be a list with at least one item")
    split = asked + "second_split: {cohorts: {s: [400]}}\n"
    mistake(
        split + "select: {methods: [second_split_forgetting-seeds1, random]}",
        "second_split_forgetting is of whole trainings: it has no epoch, and no seeds to choose",
    )


def test_self_supervised_prototypes_need_their_networks(mistake):
    mistake(
        "score: {scores: [el2n, self_supervised_prototypes]}\n",
        "score.scores: self_supervised_prototypes needs networks that train without labels: give pretrain.cohorts one",
        "{p: {seeds: [500, 501, 502], network: small, training: short}}",
    )
    mistake(
        "select: {methods: [self_supervised_prototypes-easy, random]}",
        "select.methods: 'self_supervised_prototypes-easy' needs self_supervised_prototypes: add it to score.scores",
    )
    asked = "score: {scores: [el2n, self_supervised_prototypes]}\n"
    cohort = "{seeds: [500], network: small, training: short}"
    mistake(
        asked + f"pretrain: {{cohorts: {{p: {cohort}}}}}\n"
        "select: {methods: [self_supervised_prototypes-epoch4, random]}",
        "self_supervised_prototypes does not change with training, so it has no epoch",
    )
    mistake(
        asked + f"pretrain: {{cohorts: {{p: {cohort}}}}}\n"
        "select: {methods: [self_supervised_prototypes-seeds1, random]}",
        "self_supervised_prototypes is of whole trainings: it has no epoch, and no seeds to choose",
    )


def test_networks_that_train_without_labels(mistake):
    def of(**changes: str) -> str:
        cohort = {"seeds": "[500]", "network": "small", "training": "short"} | changes
        return f"pretrain: {{cohorts: {{p: {{{', '.join(f'{key}: {value}' for key, value in cohort.items())}}}}}}}\n"

    mistake(of(seeds="[]"), "pretrain.cohorts.p.seeds: must be a list with at least one item")
    mistake(of(seeds="[500, 500]"), "pretrain.cohorts.p.seeds: names a seed twice")
    mistake(of(seeds="[500, 2]"), "pretrain.cohorts.p: 2 is in early.cohorts.a too; give new seeds")
    mistake(of() + "second_split: {cohorts: {s: [500]}}", "pretrain.cohorts.p: 500 is in second_split.cohorts.s too")
    mistake(of(network="smal"), "pretrain.cohorts.p.network: must be one of networks, which are small, lenet")
    mistake(of(training="shrt"), "pretrain.cohorts.p.training: must be one of trainings, which are short")
    mistake(of(epochs="3"), "pretrain.cohorts.p.epochs: no such key")
    mistake("pretrain: {cohorts: {p: [500]}}", "pretrain.cohorts.p: must be a section with keys of its own")
    mistake(
        of(training="one") + "trainings: {one: {batch_size: 1}}",
        "pretrain.cohorts.p.training: its batch_size is 1, and the loss compares the images of a batch",
    )


def test_the_compression_gap_needs_levels_that_do_not_wait_for_it(mistake):
    asked = "score: {scores: [el2n, compression_gap]}\n"
    mistake(asked, "score.scores: compression_gap compares the dense networks with pruned ones", "compression.levels")
    mistake("compression: {levels: [dense]}", "compression.levels: dense is no level of pruning.levels; there are")
    levels = (
        "pruning: {rewinds: {early: {data: select/random-0.3}}, floor: 1, levels: {"
        "a: {parent: dense, rewind: dense, data: select/random-0.3, variant: imp, prune: 0.2}, "
        "b: {parent: a, rewind: dense, data: full, variant: imp, prune: 0.2}, "
        "c: {parent: dense, rewind: early, data: full, variant: one_shot, prune: 0.2}, "
        "d: {parent: dense, rewind: dense, data: full, variant: imp, prune: 0.2}}}\n"
        "curvature: {levels: []}\nconnectivity: {matrix: []}\nperturbation: {runs: {}}\n"
    )
    mistake(levels + "compression: {levels: [b]}", "compression.levels: b: level a needs select/random-0.3, which is")
    mistake(levels + "compression: {levels: [c]}", "compression.levels: c: level c needs select/random-0.3, which is")
    mistake(levels + "compression: {levels: [d, d]}", "compression.levels: names a level twice")
    mistake(
        levels + asked + "compression: {levels: [d]}\nselect: {methods: [compression_gap-epoch4, random]}",
        "compression_gap does not change with training, so it has no epoch",
    )


def test_recipes_of_retraining(mistake):
    mistake("retrain: {recipes: {kd: {}}}", "retrain.recipes.kd: says nothing: give a teacher, such as {teacher: full}")
    mistake("retrain: {recipes: {kd: {weight: 0.5}}}", "retrain.recipes.kd: weight is of a teacher: give one")
    mistake("retrain: {recipes: {kd: {teacher: full, weight: 1.5}}}", "recipes.kd.weight: must be at most 1.0, not 1.5")
    mistake("retrain: {recipes: {kd: {teacher: full, temperature: 0.0}}}", "kd.temperature: must be above 0, not 0.0")
    mistake("retrain: {recipes: {kd: {teacher: half}}}", "retrain.recipes.kd.teacher: must be 'full' or 'early'")
    mistake("retrain: {recipes: {'1': {budget: epochs}}}", "recipes: 1: the name of a recipe begins with a letter")
    mistake("retrain: {recipes: {k-d: {budget: epochs}}}", "recipes.k-d: a name is made of letters, digits and _")


def test_cohorts(mistake):
    mistake("early: {cohorts: {}}", "early.cohorts: names no cohort; give one, such as {a: [0, 1, 2]}")
    mistake("early: {cohorts: {a: []}}", "early.cohorts.a.seeds: must be a list with at least one item")
    mistake("early: {cohorts: {a: [0], b: []}}", "early.cohorts.b.seeds: must be a list with at least one item")
    mistake("early: {cohorts: {b-c: [1]}}", "early.cohorts.b-c: a name is made of letters, digits and _")


def test_repeated_seeds(mistake):
    mistake("early: {cohorts: {a: [0, 5, 5]}}", "early.cohorts: seed 5 is twice in cohort a")
    mistake("early: {cohorts: {a: [0, 5], b: [5]}}", "early.cohorts: seed 5 is in cohorts a and b")
    mistake("retrain: {seeds: [7, 7]}", "retrain.seeds: names a seed twice")
    mistake("early: {cohorts: {a: [7]}}\nretrain: {seeds: [100, 7]}", "retrain.seeds: 7 is a seed of early.cohorts too")
    mistake("retrain: {seeds: []}", "retrain.seeds: must be a list with at least one item")


# Names


def test_unknown_names_say_which_there_are(mistake):
    mistake(
        "score: {scores: [el2n, entropie]}",
        "score.scores: unknown score 'entropie'",
        "el2n, ",
        "forgetting, ",
        "grand",
    )
    mistake("select: {methods: [el3n, random]}", "select.methods: 'el3n'", "el2n, ")
    mistake(
        "networks: {small: {name: resnet19}}", "networks.small.name: unknown network 'resnet19'", "resnet20", "convnet"
    )
    mistake(
        "download: {source: imagenet}", "download.source: must be one of cifar10, cifar100, digits", 'not "imagenet"'
    )
    mistake("retrain: {budget: step}", "retrain.budget: must be 'steps' or 'epochs'")


def test_scores_in_the_wrong_list(mistake):
    mistake("score: {scores: [el2n, grand]}", "score.scores: grand does not belong here: list it under score.gradients")
    mistake("score: {gradients: [el2n]}", "score.gradients: el2n does not belong here: list it under score.scores")
    mistake("score: {scores: [el2n, el2n]}", "score.scores: names a score twice")
    mistake("score: {scores: [margin]}", "score.scores: must hold el2n")


def test_a_file_of_labels(mistake):
    mistake("labels: {file: labels.txt}", "labels.file: labels.txt: must end with .csv or .parquet")
    mistake("labels: {file: ''}", "labels.file: : must end with .csv or .parquet")
    mistake("labels: {file: ~/labels.csv}", f"does not know ~: write {Path.home()}/labels.csv")
    for path in ("data/scores/suspects.csv", "networks/../data/labels.parquet", f"{Path.cwd()}/data/labels.parquet"):
        mistake(f"labels: {{file: {path}}}", f"labels.file: {path}: the pipeline writes data/ itself: copy it")
    mistake("labels: {column: 3}", "labels.column: must be text, not 3")


def test_a_source_that_needs_a_path(mistake):
    mistake("download: {source: parquet}", "download.path is needed when download.source is parquet")


# Epochs


def test_epochs_that_are_not_scored(mistake):
    mistake("select: {epoch: 3}", "select.epoch: 3 is not scored; early.epochs has 0, 1, 2, 5, 10")
    mistake("select: {methods: [el2n-epoch3, random]}", "select.methods: 'el2n-epoch3': epoch 3 is not scored")
    mistake("aggregate: {suspects_epoch: 3}", "aggregate.suspects_epoch: 3 is not scored; early.epochs has 0, 1, 2")


def test_forgetting_has_no_epoch_0(mistake):
    mistake("select: {methods: [forgetting-epoch0, random]}", "select.methods: 'forgetting-epoch0'", "from epoch 1")
    mistake("select: {methods: [forgetting, random], epoch: 0}", "select.methods: 'forgetting' at epoch 0")
    mistake(
        "score: {scores: [el2n, aum]}\nselect: {methods: [aum-epoch0, random]}",
        "select.methods: 'aum-epoch0' at epoch 0: aum is of visits, from epoch 1 on",
    )


def test_scores_that_need_more_than_early_keeps(mistake, tmp_path):
    mistake(
        "score: {scores: [el2n, donod]}",
        "score.scores: donod needs the inputs of the last layer: name the epochs after which to keep them in "
        "early.features, such as [10]",
    )
    kept = "early: {features: [2, 5]}\nscore: {scores: [el2n, donod, tdds, ensemble_agreement]}\n"
    chosen = kept + "select: {methods: [random, %s]}"
    mistake(chosen % "donod", "select.methods: 'donod' needs the features of epoch 10: add it to early.features")
    mistake(chosen % "tdds-epoch2", "select.methods: 'tdds-epoch2' at epoch 2: tdds exists after 5, 10")
    mistake(chosen % "ensemble_agreement-seeds1", "ensemble_agreement is of all seeds together: leave out seeds")
    good = "donod-epoch5, tdds, ensemble_agreement, donod-epoch2-seeds1"
    load_params(write(tmp_path / "params.yaml", chosen % good))
    mistake(
        "early: {epochs: [0, 2, 10]}\nscore: {scores: [el2n, tdds]}\nsweep: {methods: []}",
        "score.scores: tdds needs the outputs after 3 epochs from 1 on; early.epochs has 0, 2, 10",
    )
    alone = "early: {cohorts: {%s}}\nscore: {scores: [el2n, ensemble_agreement]}\nselect: {methods: [random]}"
    for cohorts in ("a: [7]", "a: {seeds: [7, 8], folds: 2}"):
        mistake(alone % cohorts, "ensemble_agreement compares networks: give early.cohorts more seeds, two for every")
    load_params(write(tmp_path / "params.yaml", alone % "a: [7], b: [8]"))
    subsets = "spawn: {at: [0 steps]}\nconnectivity: {subsets: {score: donod, epoch: 10, images: 9}}"
    mistake(kept + subsets, "connectivity.subsets.epoch: donod exists after 2, 5, not 10")


def test_epochs(mistake):
    mistake("early: {epochs: [0, 2, 1]}", "early.epochs: must rise and not repeat, such as [0, 1, 2]")
    mistake("early: {epochs: [0, 0]}", "early.epochs: must rise and not repeat, such as [0]")
    mistake("early: {epochs: []}", "early.epochs: must be a list with at least one item")
    mistake("early: {epochs: [0, 30]}", "early.epochs ends at 30, but early.training.length is 20 epochs")


def test_kernel_velocity(mistake, tmp_path):
    mistake("ntk: {epochs: [1, 0]}", "ntk.epochs: must rise and not repeat, such as [0, 1]")
    mistake("ntk: {epochs: [3]}", "ntk.epochs: 3 has no later epoch to compare with; early.epochs has 0, 1, 2, 5, 10")
    mistake("ntk: {epochs: [10]}", "ntk.epochs: 10 has no later epoch")
    mistake("ntk: {images: 0}", "ntk.images: must be at least 1, not 0")
    mistake("ntk: {score: margins}", "ntk.score: margins is not computed; score has el2n, forgetting")
    mistake(
        "ntk: {score: forgetting}\nearly: {epochs: [0]}\nselect: {epoch: 0, methods: [random]}",
        "ntk.score: forgetting is counted from epoch 1 on",
    )
    for epochs in ("null", "[]", "[0, 5]"):
        load_params(write(tmp_path / "params.yaml", f"ntk: {{epochs: {epochs}, score: grand}}"))


# Subsets


def test_a_sweep_adds_subsets_that_select_does_not_have(mistake, tmp_path):
    mistake("sweep: {methods: [el2n], keep: [0.3]}", "sweep: select has el2n at 0.3 already; take one of them out")
    mistake("sweep: {methods: [el2n-epoch0, random], keep: [0.2, 0.5]}", "sweep: select has random at 0.5 already")
    mistake("sweep: {methods: [el2n-epoch0], keep: [0.2]}", "sweep.keep: 0.2 has no random subset to compare with")
    mistake("sweep: {methods: [el3n], keep: [0.3]}", "sweep.methods: 'el3n': unknown score 'el3n'; there are confid")
    mistake("sweep: {methods: [el2n-top], keep: [0.3]}", "sweep.methods: 'el2n-top' is not a method; write SCORE")
    mistake("sweep: {methods: [el2n-epoch3], keep: [0.3]}", "sweep.methods: 'el2n-epoch3': epoch 3 is not scored")
    mistake("sweep: {methods: [el2n-epoch1, el2n-epoch1]}", "sweep.methods: names a method twice")
    mistake("sweep: {keep: [1.3]}", "sweep.keep: 1.3 is not a fraction kept")
    mistake("sweep: {keep: [0.3, 0.3]}", "sweep.keep: names a fraction twice")
    for sweep in ("methods: [el2n-epoch0], keep: [0.3]", "methods: [el2n, random], keep: [0.2]", "keep: [0.3, 0.2]"):
        load_params(write(tmp_path / "params.yaml", f"sweep: {{{sweep}}}"))


def test_tickets_may_train_on_a_subset_of_a_sweep(mistake, tmp_path):
    rewinds = "pruning: {rewinds: {easy: {data: select/el2n-window0-0.2, length: 1 epoch}}}"
    mistake(rewinds, "select/el2n-window0-0.2 is not a subset that is selected; there are full, select/el2n-0.3")
    sweep = "sweep: {methods: [el2n-window0, random], keep: [0.2]}"
    load_params(write(tmp_path / "params.yaml", f"{sweep}\n{rewinds}"))


def test_means_over_fewer_seeds(mistake, tmp_path):
    mistake("select: {methods: [el2n-seeds6, random]}", "'el2n-seeds6' needs 6 seeds; early.cohorts has 5")
    mistake("sweep: {methods: [el2n-seeds2-group3], keep: [0.3]}", "'el2n-seeds2-group3' needs 6 seeds")
    mistake("sweep: {methods: [el2n-seeds0], keep: [0.3]}", "sweep.methods.el2n-seeds0.seeds: must be at least 1")
    mistake(
        "sweep: {methods: [input_norm-seeds1], keep: [0.3]}",
        "'input_norm-seeds1': input_norm does not change with training, so it has no seeds",
    )
    mistake("sweep: {methods: [random-seeds1], keep: [0.3]}", "random does not change with training")
    load_params(write(tmp_path / "params.yaml", "sweep: {methods: [el2n-seeds2-group2, el2n-seeds5], keep: [0.3]}"))


def test_keep(mistake):
    mistake(
        "select: {keep: [1.3]}", "select.keep: 1.3 is not a fraction kept: give a fraction between 0 and 1, or a whole"
    )
    mistake("select: {keep: [1.0]}", "select.keep: 1.0 is not a fraction kept")
    mistake("select: {keep: [0]}", "select.keep.0: must be above 0, not 0")
    mistake("select: {keep: [0.5, -0.5]}", "select.keep.1: must be above 0, not -0.5")
    mistake("select: {keep: [-5]}", "select.keep.0: must be above 0, not -5")
    mistake("select: {keep: ['0.5']}", 'select.keep.0: must be a number, not "0.5"')
    mistake("select: {keep: [0.5, 0.50]}", "select.keep: names a fraction twice")
    mistake("select: {keep: []}", "select.keep: must be a list with at least one item")
    mistake("select: {keep: 0.5}", "select.keep: must be a list, in brackets, not 0.5")


def test_methods_with_options(tmp_path, mistake):
    changes = (
        "early: {features: [5]}\nselect: {epoch: 2, methods: {random: {}, el2n-epoch5: {}, far: {method: k_center, "
        "epoch: 5}, ccs: {score: el2n, cutoff: 0.1}, hard: {method: ranked, score: margin, per_class: true}}}"
    )
    select = load_params(write(tmp_path / "p.yaml", changes)).select
    found = choices(select.methods, select.epoch)
    options = {
        "score": "el2n",
        "epoch": 5,
        "seeds": None,
        "group": 1,
        "source": None,
        "window": None,
        "hardest": None,
        "per_class": False,
        "equal": False,
    }
    assert (found["el2n-epoch5"].method, found["el2n-epoch5"].options) == ("ranked", options)
    assert (found["far"].method, found["far"].options) == ("k_center", {"epoch": 5})
    assert found["ccs"].options == {"score": "el2n", "epoch": 2, "cutoff": 0.1, "strata": 50}
    given = "select: {methods: {random: {}, "
    mistake(given + "drop: {epoch: 3}}}", "'drop' needs the outputs of epoch 3; early.epochs has 0, 1, 2")
    mistake(
        "download: {validation: 0}\n" + given + "drop: {}}}",
        "select.methods: 'drop' needs validation images: set download.validation above 0",
    )
    mistake(given + "glister: {}}}", "'glister' needs the features of epoch 10: add it to early.features")
    mistake(given + "d2: {score: el2n}}}", "'d2' needs the features of epoch 10: add it to early.features")
    mistake(given + "d2: {score: el2n, neighbours: 3}}}", "select.methods.d2.neighbours: no such key; there are score,")
    mistake(
        given + "adaptive_score: {scores: [el2n, forgeting]}}}",
        "'adaptive_score': unknown score 'forgeting'; there are",
    )
    mistake(given + "adaptive_score: {scores: []}}}", "select.methods.adaptive_score.scores: must be a list with at")
    mistake(
        given + "own: {method: ranked, score: el2n, window: 1.5}}}",
        "select.methods.own.window: must be a fraction from 0 to below 1, middle or ends, not 1.5",
    )
    mistake(
        given + "k_centre: {epoch: 4}}}", "select.methods: 'k_centre' is not a selection method; there are ", "k_center"
    )
    mistake(given + "k_center: {epochs: 4}}}", "select.methods.k_center.epochs: no such key; did you mean epoch?")
    mistake(given + "ccs: {cutoff: 0.1}}}", "select.methods.ccs.score: is missing; it must be given")
    mistake(given + "ccs: {score: el2n, cutoff: 1.5}}}", "select.methods.ccs.cutoff: must be below 1")
    mistake(
        given + "ccs: {score: el3n}}}",
        "select.methods: 'ccs': unknown score 'el3n'; there are confident_learning, el2n",
    )
    mistake(
        given + "far: {method: [k_center]}}}",
        "select.methods.far.method: must be one of ",
        "ccs, ",
        "k_center, ",
        "not [",
    )
    mistake(given + "a b: {method: k_center}}}", "select.methods: 'a b': a name is made of letters")
    mistake(given + "k_center: {}}}", "'k_center' needs the features of epoch 10: add it to early.features")
    mistake("select: {methods: {k_center: {}}}", "select.methods: must hold random")
    mistake("early: {features: [3]}", "early.features: 3 is not one of early.epochs, [0, 1, 2, 5, 10]")


def test_methods(mistake):
    mistake("select: {methods: [el2n]}", "select.methods: must hold random")
    mistake("select: {methods: [el2n, random, el2n]}", "select.methods: names a method twice")
    mistake("select: {methods: [el2n-top, random]}", "select.methods: 'el2n-top' is not a method; write SCORE[-epochE]")
    mistake("select: {methods: [random-epoch4, random]}", "'random-epoch4': random does not change with training")
    mistake("select: {methods: []}", "select.methods: must be a list with at least one item")
    mistake("score: {gradients: []}", "select.methods: 'grand' needs grand: add it to score.gradients")
    mistake(
        "score: {scores: [el2n]}\nselect: {methods: [margin, random]}",
        "select.methods: 'margin' needs margin: add it to score.scores",
    )


# Tickets


def levels(**changes: str) -> str:
    """The section pruning with a dense level, three that are cut, and those that are given; each in one line."""
    given = {
        "d0": "{parent: dense, variant: dense}",
        "l1": "{parent: dense, prune: 0.2}",
        "l2": "{parent: l1, prune: 0.2}",
        "lr": "{parent: l1, variant: learning_rate, prune: 0.2}",
    } | changes
    lines = "".join(f"    {key}: {in_full(v)}\n" for key, v in given.items())
    return "pruning:\n  rewinds: {early: {data: full}}\n  levels:\n" + lines


def in_full(items: str) -> str:
    """Maps in braces with the keys that every level says."""

    def completed(found: re.Match[str]) -> str:
        usual = {"rewind: dense", "data: full"}
        return "{" + ", ".join([found[1], *sorted(u for u in usual if f"{u.split(':')[0]}:" not in found[1])]) + "}"

    return re.sub(r"\{([^{}]+)\}", completed, items)


def test_levels_that_are_right(tmp_path):
    changes = (
        levels(
            r="{parent: l2, variant: random}",
            a="{parent: l2, variant: adaptive, max_error_rise: 0.1, min_density: 0.1}",
            o="{parent: d0, rewind: early, data: select/random-0.5, variant: one_shot, prune: 0.9}",
            s="{parent: none, criterion: snip, batches: 2, allocation: erk, prune: 0.9}",
            g="{parent: none, rewind: early, when: gradual, cuts: 5, end: 1.0, schedule: full, prune: 0.8}",
            la="{parent: l1, criterion: magnitude, allocation: lamp, weights: rewind, schedule: rest, prune: 0.4}",
        )
        + "curvature: {levels: [dense, o]}\n"
        + "perturbation: {runs: {p: {level: l1, child: l2, rewind: dense, data: full}}}"
    )
    names = ["d0", "l1", "l2", "lr", "r", "a", "o", "s", "g", "la"]
    assert list(load_params(write(tmp_path / "p.yaml", changes)).pruning.levels) == names


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("{parent: l0, prune: 0.2}", "pruning.levels.x.parent: l0 is no level; there are dense, d0, l1, l2"),
        (
            "{parent: z, prune: 0.2}\n    z: {parent: l1, prune: 0.2}",
            "pruning.levels.x.parent: z comes after it; there",
        ),
        ("{parent: x, prune: 0.2}", "pruning.levels.x.parent: x comes after it; there are dense, d0, l1, l2"),
        (
            "{parent: l1, rewind: late, prune: 0.2}",
            "pruning.levels.x.rewind: late is no rewind point; there are dense",
        ),
        ("{parent: l1, data: select/el2n-0.4, prune: 0.2}", "pruning.levels.x.data: select/el2n-0.4 is not a subset"),
        ("{parent: l1, prune: 1.3}", "pruning.levels.x.prune: must be below 1"),
        ("{parent: l1, prune: 0}", "pruning.levels.x.prune: must be above 0"),
        ("{parent: l1, prune: half}", 'pruning.levels.x.prune: must be a number, not "half"'),
        ("{prune: 0.2}", "pruning.levels.x.parent: is missing; it must be given"),
        (
            "{parent: l1}",
            "pruning.levels.x: criterion magnitude with allocation global needs prune, such as prune: 0.2",
        ),
        ("{parent: l1, variant: fine_tuning}", "pruning.levels.x: variant fine_tuning needs prune, such as prune: 0.2"),
        ("{parent: l1, variant: adaptive}", "variant adaptive needs max_error_rise, such as max_error_rise: 0.02"),
        ("{parent: l1, variant: random, prune: 0.2}", "pruning.levels.x: variant random takes no prune; leave it out"),
        (
            "{parent: l1, prune: 0.2, max_error_rise: 0.1}",
            "pruning.levels.x: criterion magnitude with allocation global takes no max_error_rise",
        ),
        (
            "{parent: l1, prune: 0.2, min_density: 0.1}",
            "pruning.levels.x: criterion magnitude with allocation global takes no min_density",
        ),
        ("{parent: none, prune: 0.2, distil: 0.5}", "pruning.levels.x.distil: without a parent there is no teacher"),
        (
            "{parent: l1, schedule: no_training, prune: 0.2, distil: 0.5}",
            "pruning.levels.x.distil: schedule no_training teaches none",
        ),
        (
            "{parent: l1, prune: 0.2, distil_temperature: 2}",
            "pruning.levels.x.distil_temperature: without distil there is no teacher",
        ),
        ("{parent: l1, prune: 0.2, distil: 1.5}", "pruning.levels.x.distil: must be at most 1"),
        (
            "{parent: l1, when: gradual, schedule: same_budget, prune: 0.2}",
            "pruning.levels.x.schedule: same_budget is for levels pruned once",
        ),
        ("{parent: l1, variant: magic}", "pruning.levels.x.variant: must be one of imp, learning_rate"),
        (
            "{parent: l1, variant: one_shot, prune: 0.9}",
            "x: variant one_shot has a dense parent; l1 is pruned already",
        ),
        ("{parent: l1, prunee: 0.2}", "pruning.levels.x.prunee: no such key; did you mean prune?"),
        ("{parent: l1, variant: dense}", "pruning.levels.x: variant dense has a dense parent; l1 is pruned"),
    ],
)
def test_levels(mistake, level, message):
    mistake(levels(x=level), message)


@pytest.mark.parametrize(
    ("level", "message"),
    [
        ("{parent: l1, variant: imp, prune: 0.2, min_density: 0.1}", ": variant imp takes no min_density; leave"),
        (
            "{parent: l1, variant: imp, allocation: lamp, prune: 0.2}",
            ": variant imp is a set of choices: leave",
        ),
        (
            "{parent: l1, criterion: sinp, prune: 0.2}",
            ".criterion: there is no 'sinp'; there are ",
        ),
        (
            "{parent: l1, allocation: local, prune: 0.2}",
            ".allocation: there is no 'local'; there are ",
        ),
        (
            "{parent: l1, when: later, prune: 0.2}",
            ".when: there is no 'later'; there are edge_popup, gradual, granet, "
            "lottery_jackpots, movement, rigl, soft_threshold, sparse_evolution, or once",
        ),
        (
            "{parent: l1, weights: old, prune: 0.2}",
            ".weights: must be one of rewind, trained, fresh, updated, corrected, not old",
        ),
        (
            "{parent: l1, schedule: half, prune: 0.2}",
            ".schedule: must be one of rest, full, same_budget, last_rate, no_training, not half",
        ),
        ("{parent: l1, criterion: 3, prune: 0.2}", ".criterion: must be text, not 3"),
        (
            "{parent: l1, batches: 2, prune: 0.2}",
            ".batches: no such key; there are rounds, inverted, activate, distil, distil_temperature, parent, rewind",
        ),
        (
            "{parent: none, criterion: snip, prune: 0.2, batchs: 2}",
            ".batchs: no such key; did you mean batches?",
        ),
        ("{parent: none, criterion: snip, prune: 0.2, batches: 0}", ".batches: must be at least 1, not 0"),
        ("{parent: none, when: gradual, prune: 0.2, end: 1.5}", ".end: must be at most 1.0, not 1.5"),
        ("{parent: none, when: gradual}", ": criterion magnitude with allocation global needs prune"),
        ("{parent: l1, when: rigl}", ": criterion magnitude with allocation global needs prune"),
        ("{parent: dense, when: gradual, max_error_rise: 0.1}", ".when: gradual needs prune"),
        ("{parent: l1, criterion: none, prune: 0.2}", ": criterion none with allocation global takes no prune"),
        (
            "{parent: l1, criterion: random, allocation: of_parent, prune: 0.2}",
            ": criterion random with allocation of_p",
        ),
        (
            "{parent: none, criterion: random, allocation: of_parent}",
            ".allocation: without a parent there is",
        ),
        (
            "{parent: none, weights: trained, prune: 0.2}",
            ".weights: without a parent there are no trained weights",
        ),
        (
            "{parent: none, max_error_rise: 0.2}",
            ".max_error_rise: needs a trained parent",
        ),
        (
            "{parent: l1, rewind: early, prune: 0.2, activate: 0.1}",
            ".activate: counts how far weights moved from the rewind point early, but l1 began at dense",
        ),
        (
            "{parent: lr, prune: 0.2, activate: 0.1}",
            ".activate: counts how far weights moved from the rewind point dense, but lr began at trained weights",
        ),
    ],
)
def test_choices_of_a_level(mistake, level, message):
    mistake(levels(x=level), f"pruning.levels.x{message}")


@pytest.mark.parametrize("parent", ["dense", "l1"])
def test_a_level_may_count_from_where_its_parent_began(tmp_path: Path, parent: str) -> None:
    changes = levels(x=f"{{parent: {parent}, prune: 0.2, activate: 0.1}}")
    assert load_params(write(tmp_path / "p.yaml", changes)).pruning.levels["x"].options == {"activate": 0.1}


def test_names_of_levels_and_rewind_points(mistake):
    mistake(levels(dense="{parent: dense, prune: 0.2}"), "pruning.levels: dense is the name of")
    mistake(levels(none="{parent: dense, prune: 0.2}"), "pruning.levels: none means that a level has no parent")
    mistake(levels(**{"l-3": "{parent: l2, prune: 0.2}"}), "pruning.levels.l-3: a name is made of letters, digits")
    mistake("pruning: {rewinds: {dense: {data: full}}}", "pruning.rewinds: dense is the name of")
    mistake("perturbation: {runs: {../p: {}}}", "perturbation.runs.../p: a name is made of letters, digits and _")
    mistake(
        "pruning: {rewinds: {early: {data: full, length: 3}}}", "pruning.rewinds.early.length: must be a count with its"
    )
    mistake("pruning: {rewinds: {early: {data: el2n-0.4}}}", "pruning.rewinds.early.data: el2n-0.4 is not a subset")
    mistake("pruning: {rewinds: {early: {dta: full}}}", "pruning.rewinds.early.dta: no such key; did you mean data?")
    mistake("pruning: {floor: -1}", "pruning.floor: must be at least 0, not -1")


@pytest.mark.parametrize(
    ("section", "key"),
    [
        ("dense: {{rewind: {0}}}", "dense.rewind"),
        ("spawn: {{at: [0 steps, {0}]}}", "spawn.at"),
        ("pruning: {{rewinds: {{a: {{data: full, length: {0}}}}}, levels: {{}}}}", "pruning.rewinds.a.length"),
    ],
)
def test_times_after_the_end_of_the_training(mistake, tmp_path, section, key):
    mistake(
        section.format("20 epochs"), f"{key}: 20 epochs is not before the end of dense.training, which has 20 epochs"
    )
    load_params(write(tmp_path / "params.yaml", section.format("19 epochs")))
    load_params(write(tmp_path / "params.yaml", section.format("300 steps")))  # only the number of images can tell


def test_sources_of_transfer(mistake, tmp_path):
    def source(what: str, more: str = "") -> str:
        return f"transfer: {{sources: {{x: {{{what}}}}}}}\n{more}"

    used = "network: lenet, training: short"
    by_source = "select: {methods: [random, %s]}"
    load_params(write(tmp_path / "params.yaml", source(f"seeds: [7], {used}", by_source % "el2n-fromx")))
    mistake(source(f"seeds: [1], {used}"), "transfer.sources.x.seeds: 1 is a seed of early.cohorts.a too")
    mistake(source(f"seeds: [101], {used}"), "transfer.sources.x.seeds: 101 is a seed of retrain.seeds too")
    both = f"transfer: {{sources: {{x: {{seeds: [7], {used}}}, y: {{seeds: [8, 7], {used}}}}}}}"
    mistake(both, "transfer.sources.y.seeds: 7 is a seed of transfer.sources.x too; give new ones")
    mistake(source(f"seeds: [7, 7], {used}"), "transfer.sources.x.seeds: names a seed twice")
    mistake(source(f"seeds: [], {used}"), "transfer.sources.x.seeds: must be a list with at least one item")
    mistake(source("seeds: [7], network: wide, training: short"), "transfer.sources.x.network: must be one of networks")
    mistake(source(f"seed: [7], {used}"), "transfer.sources.x.seed: no such key; did you mean seeds?")
    mistake(f"transfer: {{sources: {{x-1: {{seeds: [7], {used}}}}}}}", "transfer.sources.x-1: a name is made of")
    brief = "trainings: {brief: {length: 9 epochs}}"
    mistake(
        source("seeds: [7], network: lenet, training: brief", brief),
        "transfer.sources.x.training: its length is 9 epochs, but early.epochs ends at 10",
    )
    chosen = source(f"seeds: [7], {used}", by_source)
    mistake(chosen % "el2n-fromy", "select.methods: 'el2n-fromy': y is not in transfer.sources; there are x")
    mistake(by_source % "el2n-fromy", "y is not in transfer.sources; there are none yet")
    for score in ("grand", "random", "input_norm"):  # sources have no gradients; the others are the same for all
        mistake(chosen % f"{score}-fromx", f"'{score}-fromx': sources do not have {score}; they have confident_learn")
    mistake(chosen % "el2n-epoch3-fromx", "epoch 3 is not scored")


def test_seeds_of_the_dense_networks(mistake):
    mistake(
        "dense: {measure: 1 epoch}\ndownload: {validation: 0}\n" + levels(),
        "dense.measure: needs validation images: set download.validation above 0",
    )
    mistake("dense: {measure: 0 steps}\n" + levels(), "dense.measure: 0 steps: must be 1 step or more; null for never")
    mistake("dense: {seeds: []}\n" + levels(), "dense.seeds: is empty, but pruning.levels has levels; give seeds")
    mistake("dense: {seeds: [200, 200]}", "dense.seeds: names a seed twice")


def test_levels_that_other_sections_name(mistake):
    mistake(levels() + "curvature: {levels: [l7]}", "curvature.levels: l7 is no level; there are dense, d0, l1, l2, lr")
    mistake(levels() + "curvature: {levels: [l1, l1]}", "curvature.levels: names a level twice")
    mistake(levels() + "connectivity: {matrix: [dense, l7]}", "connectivity.matrix: l7 is no level")
    mistake("connectivity: {points: 2}", "connectivity.points: must be at least 3, not 2")


def test_scores_of_the_images_on_which_children_are_compared(mistake, tmp_path):
    children, section = "spawn: {{at: [0 steps]}}\nconnectivity: {{subsets: {{{0}}}}}", "connectivity.subsets"
    mistake(children.format("score: aum, epoch: null, images: 9"), f"{section}.score: aum is not computed; score has")
    mistake(
        children.format("score: el2n, epoch: 3, images: 9"), f"{section}.epoch: 3 is not scored; early.epochs has 0"
    )
    mistake(children.format("scor: el2n, epoch: 3, images: 9"), f"{section}.scor: no such key; did you mean score?")
    none = children.format("score: aum, epoch: 3, images: 0")
    load_params(write(tmp_path / "params.yaml", none))


@pytest.mark.parametrize(
    ("run", "message"),
    [
        ("{level: l7, child: l2}", "level: l7 is no level; there are dense, d0"),
        ("{level: l1, child: l1}", "child: l1 is no level cut from l1; there are l2, lr"),
        ("{level: dense, child: d0}", "child: d0 is no level cut from dense; there are l1"),
        ("{level: dense, chld: l1}", "chld: no such key; did you mean child?"),
        ("{level: l2, child: l1}", "child: l1 is no level cut from l2; it has none"),
        ("{level: l1, child: l2, rewind: early}", "rewind: early, but level l1 has dense; it must be the same"),
        ("{level: l1, child: l2, data: random-0.5}", "data: random-0.5, but level l1 has full; it must be the same"),
        ("{level: g, child: l2}", "level: g does not train with one mask (gradual)"),
        ("{level: dense, child: g2}", "child: g2 is no level cut from dense; there are l1"),
        ("{level: taught, child: l2}", "level: taught has a teacher (distil=0.5)"),
        ("{level: lr, child: l2}", "level: lr does not begin at a rewind point (learning_rate)"),
    ],
)
def test_perturbed_runs(mistake, run, message):
    others = {
        "g": "{parent: none, when: gradual, prune: 0.8}",
        "g2": "{parent: dense, when: gradual, prune: 0.8}",
        "taught": "{parent: l1, prune: 0.2, distil: 0.5}",
    }
    mistake(levels(**others) + f"perturbation: {{runs: {{p: {in_full(run)}}}}}", f"perturbation.runs.p.{message}")


def test_lengths_of_perturbations(mistake):
    mistake("perturbation: {scales: [1, 1.0]}", "perturbation.scales: names a length twice")
    mistake("perturbation: {scales: [0.0]}", "perturbation.scales.0: must be above 0, not 0.0")


# Files


def test_files_that_are_no_params(tmp_path, user_error):
    def mistake(text: str, part: str) -> None:
        (tmp_path / "params.yaml").write_text(text)
        with user_error(tmp_path / "params.yaml", part):
            load_params(tmp_path / "params.yaml")

    mistake("", "must be a map of sections")
    mistake("# only a comment\n", "must be a map of sections")
    mistake("[early, select]", "must be a map of sections")
    mistake("early:\n  epochs: [0, 1\nselect: {}", " line 3: not YAML: ")
    mistake("early:\n\tepochs: [0]", " line 2: not YAML: ")
    mistake("early:\n  cohorts:\n    a: [0]\n    a: [1]", ' line 4: not YAML: found duplicate key "a"')
    mistake("download: {path: 2001-13-45}", "not YAML: month must be in 1..12")
    mistake("a: !!python/object:os.system {}", " line 1: not YAML: ")
    (tmp_path / "params.yaml").write_bytes(b"\xff\xfe\x00")
    with user_error(tmp_path / "params.yaml", "not YAML"):
        load_params(tmp_path / "params.yaml")
    with user_error(tmp_path / "absent.yaml", "no such file", "winnow recipe default"):
        load_params(tmp_path / "absent.yaml")


def test_long_values_are_cut(tmp_path, user_error):
    path = tmp_path / "params.yaml"
    write(path, f"figures: {{dpi: {list(range(1000))}}}")
    with pytest.raises(UserError, match=r"figures.dpi: must be a whole number, not \[0, 1, 2.*…$") as caught:
        load_params(path)
    assert len(str(caught.value)) < len(str(path)) + 150


# One section, as a stage reads it

EARLY = {"cohorts": {"a": [0]}, "network": "small", "training": "short", "epochs": [0], "features": []}
NAMED = load_named({"networks": {"small": {}}, "trainings": {"short": {"length": "9 epochs"}}}, "params.yaml")


@pytest.mark.parametrize(
    ("model", "values", "message"),
    [
        (Early, {"epoch": [0]}, "early.epoch: no such key; did you mean epochs?"),
        (Early, {**EARLY, "epochs": [99]}, "params.yaml: early.epochs ends at 99"),
        (Early, {**EARLY, "training": "long"}, 'early.training: must be one of trainings, which are short, not "long"'),
        (Early, [1], "params.yaml: early: must be a section"),
        (Download, {"source": "parquet"}, "params.yaml: download.path is needed"),
        (Download, {"first": 0}, "params.yaml: download.first: must be at least 1"),
    ],
)
def test_the_key_is_named_in_full_when_one_section_is_read(user_error, model, values, message):
    with user_error(message):
        validate(model, values, "params.yaml", (model.__name__.lower(),), NAMED)


def test_a_trusted_cohort_needs_trusted_labels_and_another_cohort(mistake):
    trusted = "{t: {seeds: [7], trusted: true}}"
    mistake(f"early: {{cohorts: {trusted}}}", "early.cohorts.t", "labels.trusted names no column")
    mistake("labels: {trusted: seen}", "labels.trusted: seen is a column of labels.file, which is null")
    of_file = "labels: {file: a.csv, trusted: seen}\nearly: {cohorts: "
    values = complete(of_file + "{t: {seeds: [7], trusted: true}}}")
    values["early"]["cohorts"] = {"t": {"seeds": [7], "trusted": True}}
    with pytest.raises(UserError, match=r"early\.cohorts: all are trusted"):
        validate(Params, values, "p.yaml", named=load_named(values, "p.yaml"))
    mistake(of_file + "{t: {seeds: [7], trusted: true, folds: 2}}}", "early.cohorts.t", "is trusted, and has folds")
