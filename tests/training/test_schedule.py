import pytest

from winnow.params.training import Training
from winnow.training.schedule import schedule

PAPER = Training(
    length="200 epochs",
    batch_size=128,
    learning_rate=0.1,
    warmup="0 steps",
    decay_at=["60 epochs", "120 epochs", "160 epochs"],
    decay=0.2,
)


def test_the_protocol_of_the_paper():
    plan = schedule(PAPER, 50_000)
    assert (plan.epoch, plan.total) == (390, 78_000)
    rates = [plan.learning_rate(step) for step in (0, 60 * 390 - 1, 60 * 390, 120 * 390, 160 * 390, 77_999)]
    assert rates == pytest.approx([0.1, 0.1, 0.02, 0.004, 0.0008, 0.0008])


def test_a_subset_takes_as_many_steps_as_all_data():
    """The budget "steps": the same steps and learning rates, in shorter passes."""
    full, subset = schedule(PAPER, 50_000), schedule(PAPER, 20_000, images_of_full_epoch=50_000)
    assert (subset.total, subset.epoch) == (full.total, 156)
    assert subset.decay_at == full.decay_at
    assert all(subset.learning_rate(step) == full.learning_rate(step) for step in range(0, 78_000, 97))


def test_a_subset_takes_as_many_epochs_of_its_own():
    """The budget "epochs"."""
    plan = schedule(PAPER, 20_000)
    assert (plan.epoch, plan.total) == (156, 200 * 156)
    assert plan.decay_at == (60 * 156, 120 * 156, 160 * 156)


def test_warm_up_is_linear_and_reaches_the_full_rate():
    plan = schedule(Training(learning_rate=0.4, warmup="4 steps", batch_size=10), 100)
    assert [plan.learning_rate(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_a_decay_during_the_warm_up_counts():
    plan = schedule(Training(learning_rate=1, warmup="4 steps", decay_at=["2 steps"], decay=0.5, batch_size=10), 100)
    assert [plan.learning_rate(step) for step in range(5)] == pytest.approx([0.25, 0.5, 0.375, 0.5, 0.5])


def test_durations_in_steps_and_epochs():
    training = Training(length="25 steps", warmup="1 epoch", decay_at=["2 epochs", "24 steps"], batch_size=10)
    plan = schedule(training, 109)
    assert (plan.total, plan.epoch, plan.warmup, plan.decay_at) == (25, 10, 10, (20, 24))


def test_it_can_be_left_early():
    plan = schedule(Training(length="20 epochs", batch_size=10), 100)
    assert plan.until(3).total == 30
    assert plan.until(30) == plan
    assert plan.until(3).learning_rate(5) == plan.learning_rate(5)
    assert plan.until_step(7).total == 7
    assert plan.until_step(1000) == plan


def test_epochs():
    plan = schedule(Training(length="20 epochs", batch_size=10), 100)
    assert [plan.until_step(step).epochs for step in (0, 1, 10, 11, 200)] == [0, 1, 1, 2, 20]


def test_a_batch_larger_than_the_images():
    with pytest.raises(ValueError, match="batch_size: 128 is more than the 100 images"):
        schedule(Training(batch_size=128), 100)
    assert schedule(Training(batch_size=100), 100).epoch == 1
