import numpy as np
import pandas as pd
import pytest

from winnow.analysis.curves import along_lines, perturbation_curves, training_curves


def history(rates=(0.1, 0.1, 0.02)):
    rows = [
        (seed, epoch, rate, 2.0 / epoch + seed, 0.1 * epoch, np.nan, np.nan if seed else 0.2)
        for epoch, rate in reversed(list(enumerate(rates, 1)))
        for seed in (0, 1)
    ]
    names = ["train_loss", "train_accuracy", "validation_loss", "validation_accuracy"]
    return pd.DataFrame(rows, columns=["seed", "epoch", "learning_rate", *names])


def test_training_curves_are_means_over_seeds_by_rising_epoch():
    found = training_curves(history())
    loss = found[(found["quantity"] == "loss") & (found["split"] == "train")]
    assert loss["epoch"].tolist() == [1, 2, 3]
    assert loss["mean"].tolist() == pytest.approx([2.5, 1.5, 2 / 3 + 0.5])
    assert loss[["low", "high", "count"]].iloc[0].tolist() == pytest.approx([2.16, 2.84, 2])


def test_missing_values_are_left_out_of_the_curves():
    found = training_curves(history()).set_index(["quantity", "split"])
    assert set(found.index) == {("loss", "train"), ("accuracy", "train"), ("accuracy", "validation")}
    assert set(found.loc[("accuracy", "validation"), "count"]) == {1}


@pytest.mark.filterwarnings("error")
def test_without_validation_images_columns_keep_their_types():
    found = training_curves(history().assign(validation_loss=np.nan, validation_accuracy=np.nan))
    assert set(found["split"]) == {"train"}
    names = ["epoch", "mean", "low", "high", "count"]
    assert "".join(found[name].dtype.kind for name in names) == "ifffi"


def test_an_epoch_whose_learning_rate_is_lower_is_told():
    found = training_curves(history())
    assert set(found.loc[found["rate_falls"], "epoch"]) == {3}
    assert not training_curves(history((0.1, 0.1, 0.2)))["rate_falls"].any()


def test_lines_are_means_over_replicates_in_the_order_of_the_line():
    rows = [("a", "b", seed, "test", alpha, alpha + seed) for alpha in (1.0, 0.0) for seed in (0, 1)]
    found = along_lines(pd.DataFrame(rows, columns=["a", "b", "seed", "split", "alpha", "error"]))
    assert found[["alpha", "mean", "count"]].to_numpy().tolist() == [[0.0, 0.5, 2], [1.0, 1.5, 2]]


def test_perturbations_have_what_they_are_compared_with():
    about = {"run": "p", "level": "l1", "rewind": "early", "rewind_steps": 5}
    rows = [
        (multiple, seed, split, 0.1 * seed + multiple, 0.2 + multiple)
        for multiple in (1.0, 3.0)
        for seed in (0, 1)
        for split in ("train", "test")
    ]
    perturbed = pd.DataFrame(rows, columns=["multiple", "seed", "split", "error", "barrier"]).assign(**about)
    ends = pd.DataFrame({"alpha": [0.0, 0.0, 1.0, 0.0], "split": ["test", "test", "test", "train"],
                         "error": [0.3, 0.5, 9, 9], "run": "p"})  # fmt: skip
    verdicts = pd.DataFrame({"level": ["l1", "l2"], "barrier_to_parent": [0.9, 0.07]})
    found = perturbation_curves(perturbed, ends, verdicts, {"p": "l2"}).set_index(["quantity", "multiple"])
    assert found["mean"].to_dict() == pytest.approx(
        {("barrier", 1.0): 1.2, ("barrier", 3.0): 3.2, ("error", 1.0): 1.05, ("error", 3.0): 3.05}
    )
    assert set(found["count"]) == {2}
    assert found.loc["error", "reference"].tolist() == pytest.approx([0.4] * 2)
    assert set(found.loc["barrier", "reference"]) == {0.07}
    unknown = perturbation_curves(perturbed, ends.iloc[:0], verdicts, {"p": "l3"})
    assert unknown["reference"].isna().all()
