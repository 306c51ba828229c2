"""Which methods are worth trying: a table of rules, in the order in which they are tried, and what it advises.

Each rule says for which data and shares it is, what to choose, why, and what that rests on: independent comparisons
where there are any, and Winnow's own results (docs/results). The borders between regimes are Winnow's own, drawn
between the data sets on which somebody has measured; nobody has measured where they lie.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

ADVISED = 3  # methods
SCORE = "el2n"  # which every experiment has
# The keys of params.yaml that methods belong below
METHODS, RECIPES, VISITS = "select.methods", "retrain.recipes", "retrain.visits"

# Images of each class
PLENTY = 4000  # MNIST has 5,400 and CIFAR-10 4,500 to train on, where the hardest half is no worse than random; 900 of
# CIFAR-10 are too few (docs/results/cifar10-laptop)
ENOUGH = 1000  # ImageNet has 1,300, and the hardest 70% of it beat random images; with 900 of CIFAR-10 they do not
FEW_OF_CLASS = 50  # kept of each class: below, a choice over all classes may leave one out

# Fractions kept
TINY = 0.05  # graph cut is among the best on CIFAR-10 up to here (DeepCore)
FEW = 0.3  # the highest scores alone are below random images up to here (the table in LBCS; CCS)
HALF = 0.5  # the hardest half of plentiful images is no worse than random (Data Diet; docs/results/mnist)
MOST = 0.7
TENTH = 0.1  # the smallest share at which the hardest images won (docs/results/mnist: they lost at 3%)

IMBALANCED = 5.0  # largest class over smallest: SVHN has 3 and counts as a plain data set, long-tailed ones begin at 10
EASY = 0.97  # test accuracy on all images: MNIST is above, CIFAR-10 is not with the networks and lengths of the table


@dataclass(frozen=True)
class Situation:
    """What advice depends on. None is what is not known yet.

    images: how many there are to train on; classes: of them. wrong: the fraction of their labels that are wrong, as far
    as it is known. imbalance: how many times as many images the largest class has as the smallest. accuracy: on test
    images, of networks trained on all images. epoch: of the scores and features, if select.epoch does not do. detector:
    the score that finds wrong labels best. features: whether features are kept, and features_epoch: after which epoch,
    if not after that. validation: whether there are validation images. teacher: whether there are networks that could
    teach. epochs: whether a subset is trained for as many epochs as all images, so that fewer images save time.
    batch: of retraining.
    """

    images: int | None
    classes: int | None
    epoch: int | None = None
    wrong: float = 0.0
    imbalance: float = 1.0
    accuracy: float | None = None
    detector: str = SCORE
    features: bool = False
    features_epoch: int | None = None
    validation: bool = True
    teacher: bool = False
    epochs: bool = False
    batch: int = 1

    @property
    def at(self) -> dict[str, int]:
        """The epoch as an option of a method."""
        return {} if self.epoch is None else {"epoch": self.epoch}

    @property
    def at_features(self) -> dict[str, int]:
        """The epoch of the features as an option of a method."""
        return self.at if self.features_epoch is None else {"epoch": self.features_epoch}

    def by(self, score: str, part: str = "") -> str:
        """The short name of a score's highest images, or of a part of its ranking."""
        return "-".join(filter(None, [score, "" if self.epoch is None else f"epoch{self.epoch}", part]))

    @property
    def of_class(self) -> float:
        """Images of each class on average; 0 if that is not known, as for few images everything is more careful."""
        return self.images / self.classes if self.images and self.classes else 0.0

    @property
    def clean(self) -> bool:
        """Whether no label is known to be wrong."""
        return self.wrong == 0

    @property
    def uneven(self) -> bool:
        """Whether the classes are long-tailed."""
        return self.imbalance >= IMBALANCED


@dataclass(frozen=True)
class Way:
    """What to add to params.yaml below a key: a name, and its options."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)
    key: str = METHODS


@dataclass(frozen=True)
class Rule:
    """fits: whether the rule is for a situation and a fraction kept. way: what to choose. title: the same in words.

    keep: the fraction to keep, where it is not one of those that the user asked for.
    """

    fits: Callable[[Situation, float], bool]
    way: Callable[[Situation, float], Way]
    title: str
    why: str
    evidence: str
    keep: Callable[[Situation], float] | None = None


@dataclass(frozen=True)
class Suggestion:
    """A rule that fits: what to add, and the share at which, as a fraction or a count of images."""

    rule: Rule
    way: Way
    keep: float | int


def _hardest(at: Situation, share: float) -> bool:
    if not at.clean or at.uneven:
        return False
    if share >= MOST:
        return at.of_class >= ENOUGH
    easy = at.accuracy is not None and at.accuracy >= EASY
    return at.of_class >= PLENTY and (share >= HALF or (easy and share >= TENTH))


def _stratified(at: Situation, share: float) -> Way:
    # CCS leaves out 30% of CIFAR-10 and ImageNet when a tenth is kept, and nearly none from 30% on (its README)
    usual = 0.3 if share <= TENTH else 0.1 if share <= FEW else 0.0
    cutoff = min(max(usual, _twentieths(at.wrong)), math.floor(20 * (1 - share) + 1e-9) / 20)
    return Way("ccs", {"score": SCORE, **at.at} | ({"cutoff": round(cutoff, 2)} if cutoff else {}))


def _around_centers(at: Situation, share: float) -> Way:
    # over all classes as in the paper, unless a class may lose too many
    per_class = at.uneven or at.of_class * share < FEW_OF_CLASS
    return Way("moderate", at.at_features | ({"per_class": True} if per_class else {}))


def _window(at: Situation, share: float) -> Way:
    per_class = "-perclass" if at.of_class * share < FEW_OF_CLASS else ""
    hardest = max(0.1, _twentieths(at.wrong))
    middle = share <= FEW and hardest <= (1 - share) / 2
    start = max(0.0, math.floor(100 * (1 - share - hardest) + 1e-9) / 100)
    part = "middle" if middle else f"window{start:g}" if start else "easy"
    return Way(at.by(SCORE, f"{part}{per_class}"))


def _same_of_each(at: Situation, share: float) -> Way:
    hard = at.clean and share >= MOST and at.of_class >= ENOUGH
    return Way(at.by(SCORE, "equal") if hard else "random-equal")


def _taught(at: Situation, share: float) -> Way:
    # the paper: near 1 when a tenth is kept, and less for more
    return Way("kd", {"teacher": "full", "weight": 0.9 if share <= FEW else 0.5}, key=RECIPES)


def _anew(_at: Situation, share: float) -> Way:
    return Way("rs2", {"keep": float(f"{share:.3g}")}, key=VISITS)


def _twentieths(fraction: float) -> float:
    """The next multiple of 0.05."""
    return math.ceil(round(20 * fraction, 6)) / 20


THIRD_PARTY = "the table in LBCS"  # whose first author is also that of Moderate: independent for the others only
CENTERS = Rule(
    lambda at, share: at.features,
    _around_centers,
    "images at a middling distance from the center of their class",
    "needs no tuning and takes neither odd nor easy images; against random -0.6 to +3.5 points at 2 to 8% kept, "
    "+1.1 and +1.3 at 80 and 70% of ImageNet",
    THIRD_PARTY,
)

# The first rules are for special data, the last for all. The first three that fit are the advice.
RULES: tuple[Rule, ...] = (
    Rule(
        lambda at, share: 0 < at.wrong <= HALF,
        lambda at, share: Way(at.by(at.detector, "easy")),
        "all but the labels most doubted",
        "wrong labels gather at the top of the score, so leaving out as many as are wrong leaves most of them out; "
        "better still, correct them: data/scores/suspects.csv lists them",
        "docs/results/mnist and cifar10-people",
        keep=lambda at: round(1 - max(0.05, _twentieths(at.wrong)), 2),
    ),
    Rule(
        lambda at, share: at.uneven and at.validation,
        lambda at, share: Way("drop", at.at),
        "more images of the classes that networks get wrong",
        "a better worst class; on long-tailed MNIST 15 to 22 points above random images at 5 to 50%",
        "DRoP, docs/results/selection",
    ),
    Rule(
        lambda at, share: at.uneven,
        _same_of_each,
        "the same number of every class",
        "a share of a small class would be too few images to learn it from",
        "D2 and DRoP, which compare with it",
    ),
    Rule(
        lambda at, share: at.epochs and share <= FEW and (at.images is None or share * at.images >= at.batch),
        _anew,
        "other random images in every epoch",
        "saves as much training as a fixed subset, and sees all images in the end; but all must be at hand. In its "
        "authors' study no fixed subset of 30% or fewer is better",
        "RS2",
    ),
    Rule(
        lambda at, share: at.epochs and share >= MOST and at.clean,
        lambda at, share: Way("infobatch", key=VISITS),
        "in every epoch half of the images of low loss, which count twice",
        "saves about 30% of the visits at little or no loss of accuracy in a long training, and needs no scores; but "
        "all images must be at hand. Here none was lost on MNIST, and two points on CIFAR-10 after 12 epochs",
        "InfoBatch, docs/selection.md",
        keep=lambda at: MOST,
    ),
    Rule(
        _hardest,
        lambda at, share: Way(at.by(SCORE)),
        "the hardest images",
        "images are plentiful and labels right, so the easy ones repeat each other: on MNIST the hardest tenth beats "
        "all images; it collapses when fewer are kept",
        "docs/results/mnist, Data Diet",
    ),
    Rule(
        lambda at, share: at.teacher and at.clean,
        _taught,
        "random images, with a teacher",
        "with networks of all images as teachers, random images are as good as chosen ones; of use for another or a "
        "smaller network, as the teacher exists",
        "KD on pruned sets",
    ),
    Rule(
        lambda at, share: at.of_class * share >= 10 or not at.of_class,
        _stratified,
        "as many images from every stratum of EL2N, few of the hardest",
        "the safest simple method when few are kept; against random -0.2 to +2.1 points at 2 to 8% kept, "
        "+1.0 and +0.8 at 80 and 70% of ImageNet, +2.0 and +1.3 at 5 and 10% of 10,000 images of MNIST",
        f"{THIRD_PARTY}, docs/results/selection",
    ),
    Rule(
        lambda at, share: at.clean and share <= TINY,
        lambda at, share: Way("graph_cut", at.at_features),
        "images similar to all and unlike each other",
        "among the best on CIFAR-10 when at most 5% are kept; on 10,000 images of MNIST four points below random",
        "DeepCore; against it docs/results/selection",
    ),
    CENTERS,
    Rule(
        lambda at, share: True,
        _window,
        "a window of the ranking by EL2N, without the hardest",
        "the best window moves from the hardest to easier images as fewer are kept, and as more labels are wrong; of "
        "18,000 images of CIFAR-10 the tenth after the easiest 30% is 4.8 points above random, the last tenth 36 below",
        "Data Diet, docs/results/selection-cifar10",
    ),
    replace(CENTERS, fits=lambda at, share: not at.features),
    Rule(
        lambda at, share: True,
        lambda at, share: Way("random-perclass"),
        "random images, the same share of every class",
        "random images are hard to beat, and of few images chance would leave some classes too few",
        "DeepCore",
    ),
)


def advise(at: Situation, keeps: list[float | int]) -> list[Suggestion]:
    """Three methods worth trying, best first, each at the smallest of the shares that it is for.

    keeps: fractions, or counts of images, of which at least one keeps an image of every class and not all images
    (``usable``).
    """
    found: dict[str, Suggestion] = {}
    for suggestion in (_suggested(rule, at, keeps) for rule in RULES):
        if suggestion:
            found.setdefault(suggestion.way.name, suggestion)  # two rules may lead to the same method
    return list(found.values())[:ADVISED]


def _suggested(rule: Rule, at: Situation, keeps: list[float | int]) -> Suggestion | None:
    for share, keep in sorted((fraction(keep, at.images), keep) for keep in keeps):
        if usable(keep, at) and rule.fits(at, share):
            own = rule.keep(at) if rule.keep else keep
            return Suggestion(rule, rule.way(at, fraction(own, at.images)), own)
    return None


def usable(keep: float | int, at: Situation) -> bool:
    """Whether so many images leave some out, and have room for one of every class, as far as that is known."""
    share = fraction(keep, at.images)
    return share < 1 and (not at.of_class or share * at.of_class >= 1)


def fraction(keep: float | int, images: int | None) -> float:
    """A fraction, or a count of images as one. A count of images whose number is not known counts as few."""
    if isinstance(keep, float):
        return keep
    return keep / images if images else TENTH
