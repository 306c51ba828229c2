import pytest
import torch

from winnow.params.training import Training
from winnow.training.schedule import make_schedule

PAPER = Training(
    length="200 epochs",
    batch_size=128,
    learning_rate=0.1,
    warmup="0 steps",
    decay_at=["60 epochs", "120 epochs", "160 epochs"],
    decay=0.2,
)


def test_the_protocol_of_the_paper():
    schedule = make_schedule(PAPER, 50_000)
    assert (schedule.epoch, schedule.total) == (390, 78_000)
    rates = [schedule.learning_rate(step) for step in (0, 60 * 390 - 1, 60 * 390, 120 * 390, 160 * 390, 77_999)]
    assert rates == pytest.approx([0.1, 0.1, 0.02, 0.004, 0.0008, 0.0008])


def test_a_subset_takes_as_many_steps_as_all_data():
    """The budget "steps": the same steps and learning rates, in shorter passes."""
    full, subset = make_schedule(PAPER, 50_000), make_schedule(PAPER, 20_000, images_of_full_epoch=50_000)
    assert (subset.total, subset.epoch) == (full.total, 156)
    assert subset.decay_at == full.decay_at
    assert all(subset.learning_rate(step) == full.learning_rate(step) for step in range(0, 78_000, 97))


def test_a_subset_takes_as_many_epochs_of_its_own():
    """The budget "epochs"."""
    schedule = make_schedule(PAPER, 20_000)
    assert (schedule.epoch, schedule.total) == (156, 200 * 156)
    assert schedule.decay_at == (60 * 156, 120 * 156, 160 * 156)


def test_warm_up_is_linear_and_reaches_the_full_rate():
    schedule = make_schedule(Training(learning_rate=0.4, warmup="4 steps", batch_size=10), 100)
    assert [schedule.learning_rate(step) for step in range(6)] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.4, 0.4])


def test_a_decay_during_the_warm_up_counts():
    schedule = make_schedule(
        Training(learning_rate=1, warmup="4 steps", decay_at=["2 steps"], decay=0.5, batch_size=10), 100
    )
    assert [schedule.learning_rate(step) for step in range(5)] == pytest.approx([0.25, 0.5, 0.375, 0.5, 0.5])


def test_durations_in_steps_and_epochs():
    training = Training(length="25 steps", warmup="1 epoch", decay_at=["2 epochs", "24 steps"], batch_size=10)
    schedule = make_schedule(training, 109)
    assert (schedule.total, schedule.epoch, schedule.warmup, schedule.decay_at) == (25, 10, 10, (20, 24))


def test_it_can_be_left_early():
    schedule = make_schedule(Training(length="20 epochs", batch_size=10), 100)
    assert schedule.until(3).total == 30
    assert schedule.until(30) == schedule
    assert schedule.until(3).learning_rate(5) == schedule.learning_rate(5)
    assert schedule.until_step(7).total == 7
    assert schedule.until_step(1000) == schedule


def test_epochs():
    schedule = make_schedule(Training(length="20 epochs", batch_size=10), 100)
    assert [schedule.until_step(step).epochs for step in (0, 1, 10, 11, 200)] == [0, 1, 1, 2, 20]


def test_a_batch_larger_than_the_images():
    with pytest.raises(ValueError, match="batch_size: 128 is more than the 100 images"):
        make_schedule(Training(batch_size=128), 100)
    assert make_schedule(Training(batch_size=100), 100).epoch == 1


@pytest.mark.parametrize("warmup", [0, 4])
def test_cosine_is_torchs_own_after_the_warm_up(warmup):
    training = Training(
        learning_rate=0.4, length="30 steps", warmup=f"{warmup} steps", annealing="cosine", batch_size=10
    )
    schedule = make_schedule(training, 100)
    optimiser = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.4)
    torchs = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, T_max=30 - warmup)
    rates = [0.4 * (step + 1) / 4 for step in range(warmup)]
    for _ in range(30 - warmup):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        torchs.step()
    assert [schedule.learning_rate(step) for step in range(30)] == pytest.approx(rates)


def test_cosine_that_is_left_early_or_shortened():
    """Left early, it follows the whole wave; shortened, it ends in a wave of its own."""
    training = Training(learning_rate=1, length="40 steps", annealing="cosine", batch_size=10)
    schedule = make_schedule(training, 100)
    assert schedule.until_step(20).learning_rate(10) == schedule.learning_rate(10)
    assert schedule.stretched(0.5).learning_rate(10) == pytest.approx(0.5)
    assert schedule.learning_rate(20) == pytest.approx(0.5)


def test_stretched_to_twice_its_length():
    training = Training(
        learning_rate=1, length="40 steps", warmup="4 steps", decay_at=["10 steps"], decay=0.1, batch_size=10
    )
    once = make_schedule(training, 100)
    twice = once.stretched(2)
    assert (twice.total, twice.epoch) == (80, once.epoch)
    assert [twice.learning_rate(2 * step + 1) for step in range(40)] == pytest.approx(
        [once.learning_rate(step) for step in range(40)]
    )


def test_cosine_takes_no_other_decay():
    with pytest.raises(ValueError, match=r"decay_at: must be \[\] with annealing: cosine"):
        Training(annealing="cosine", decay_at=["2 epochs"])
