"""All claims: what each says, where, which statistic tests it, and what turns that into a verdict.

Every interval is over seeds, of 95%, but for the counts of U2, whose interval is exact. Where a claim makes several
comparisons, their intervals hold together (Bonferroni). A claim holds if the interval lies where the claim puts the
effect, and does not hold if it lies elsewhere; else, the data cannot tell.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from winnow.claims import data_diet, tickets_on_a_diet, unmasking
from winnow.claims.results import Results
from winnow.claims.rules import Finding

DIET = "Paul, Ganguli, Dziugaite 2021, Deep learning on a data diet"
UNMASKING = "Paul et al. 2023, Unmasking the lottery ticket hypothesis"
TICKETS = "Paul et al. 2022, Lottery tickets on a data diet"


@dataclass(frozen=True)
class Claim:
    """statement: in one sentence. rule: the statistic, and when the claim holds. test: what applies the rule."""

    statement: str
    source: str
    rule: str
    test: Callable[[Results], Finding]


CLAIMS = {
    "D1": Claim(
        "By EL2N a few epochs in, half of the training images can go, and accuracy does not fall.",
        DIET,
        "Accuracy with about half of the images, by EL2N, minus that with all, after as many steps: not below -m. m is "
        "half a point, or a tenth of the error with all images, whichever is smaller.",
        data_diet.half_can_go,
    ),
    "D2": Claim(
        "At moderate pruning, the images of the highest EL2N beat a random subset of the same size.",
        DIET,
        "EL2N minus random at every fraction from 0.4 to 0.8: above 0 at one of them. It does not hold if it is below "
        "m (of D1) at all.",
        data_diet.moderate_beats_random,
    ),
    "D3": Claim(
        "At extreme pruning, both EL2N and GraNd fall below random.",
        DIET,
        "Random minus either at the smallest fraction, of those up to 0.2: above 0. It does not hold if one is below "
        "m (of D1).",
        data_diet.extreme_falls_below_random,
    ),
    "D4": Claim(
        "The early EL2N ranking agrees with forgetting over the whole training, and GraNd's with EL2N's.",
        DIET,
        "Rank correlation of EL2N, at select.epoch, with forgetting at the end, and with GraNd: above 0.5.",
        data_diet.rankings_agree,
    ),
    "D5": Claim(
        "GraNd at initialisation beats a random subset of the same size.",
        f"{DIET}; not reproduced by Kirsch 2023",
        "As D2, for GraNd at epoch 0.",
        data_diet.initial_grand_beats_random,
    ),
    "D6": Claim(
        "Scores averaged over ten networks choose better subsets than those of one network.",
        DIET,
        "EL2N of all scored networks minus that of one, at every fraction with both: above 0 at one of them. It does "
        "not hold if it is below m (of D1) at all. If there are several single networks, their means are the sample on "
        "that side; with one, the interval is of retraining alone.",
        data_diet.averaging_matters,
    ),
    "D7": Claim(
        "Of windows that slide over the EL2N ranking, the best leaves out the easiest and the very hardest images.",
        DIET,
        "Accuracy of the best inner window, chosen on the validation split, minus those of the highest and of the "
        "lowest: above 0. It does not hold if one is below m (of D1).",
        data_diet.best_window_leaves_out_the_highest,
    ),
    "D8": Claim(
        "Randomised labels gather at the top of the EL2N ranking.",
        DIET,
        "Area under the ROC curve by which EL2N tells randomised labels from the others: above 0.75.",
        data_diet.wrong_labels_gather_at_the_top,
    ),
    "D9": Claim(
        "The velocity of the neural tangent kernel on images of neighbouring scores rises with the score.",
        DIET,
        "Rank correlation of velocity with score, over groups of images, averaged over the steps from epoch to epoch: "
        "above 0.",
        data_diet.kernel_velocity_rises_with_the_score,
    ),
    "D10": Claim(
        "Children of one network become linearly connected earlier on the easiest images than on the hardest.",
        DIET,
        "The step of spawn.at, by its place among them, from which on the error barrier is half a point at most, on "
        "the images of the highest EL2N minus on those of the lowest: above 0. It does not hold if it is below 0.",
        data_diet.easy_images_are_connected_earlier,
    ),
    "D11": Claim(
        "The ranking belongs to the data: scores of one network or training prune well for another.",
        DIET,
        "As D2, for the EL2N of each of transfer.sources, and for early's if its network or training is not retrain's: "
        "it holds if it holds for each, and does not hold if it does not for one.",
        data_diet.rankings_transfer,
    ),
    "U1": Claim(
        "Iterated pruning reaches densities, still matching, that one cut does not.",
        UNMASKING,
        "At each density with levels of both: iterated matches, one cut does not, and its error is above the other by "
        "more than 0. It does not hold if, wherever not both match, that difference is below epsilon.",
        unmasking.iteration_reaches_further,
    ),
    "U2": Claim(
        "Successive levels are linearly connected if and only if both match.",
        UNMASKING,
        "Of the pairs that match the fraction that is connected, of the others the fraction that is not: above 0.5.",
        unmasking.connected_if_and_only_if_matching,
    ),
    "U3": Claim(
        "Rewinding to a step after the first, and not to the initialisation, is what makes networks match.",
        UNMASKING,
        "As U1, between levels from the later rewind point and from the initialisation.",
        unmasking.rewinding_to_the_start_is_too_early,
    ),
    "U4": Claim(
        "Training returns to the same mode from a rewind point perturbed by as much as a cut, not from much further; "
        "the tolerance grows with the step of the rewind point.",
        UNMASKING,
        "Barrier to the unperturbed solution: below epsilon at the length of the projection, above it at the largest "
        "length, and there higher from an earlier rewind point.",
        unmasking.perturbations_are_returned_from,
    ),
    "U5": Claim(
        "Past a certain fraction, a cut leaves the linearly connected sublevel set, and a barrier appears.",
        UNMASKING,
        "Of a level's smallest and largest cut, barrier or rise of the error after retraining, whichever is larger: "
        "below epsilon, and above it. It does not hold if the larger cut has the smaller one.",
        unmasking.large_cuts_leave_the_sublevel_set,
    ),
    "U6": Claim(
        "The largest possible cut follows from the Hessian's eigenvalues.",
        UNMASKING,
        "Predicted minus measured largest cut of every level: within 10 points of its weights.",
        unmasking.curvature_predicts_the_largest_cut,
    ),
    "U7": Claim(
        "Retraining makes new small weights, so that the next cut is cheap; without it the same two cuts are not.",
        UNMASKING,
        "Error right after two cuts in a row minus that after the second with retraining between, mean over levels: "
        "above 0.",
        unmasking.retraining_makes_the_next_cut_cheap,
    ),
    "U8": Claim(
        "Iteration is needed because each small cut stays inside the sublevel set, which the same cut at once leaves.",
        UNMASKING,
        "Rise of the error right after each of several cuts: below epsilon; right after one as large as all: above it.",
        unmasking.small_cuts_stay_inside,
    ),
    "T1": Claim(
        "A rewind point after as many steps on a small random subset is as good as one on all images.",
        TICKETS,
        "Error of levels from the one on all images minus that from the other, pruned alike: above -epsilon at every "
        "density.",
        tickets_on_a_diet.little_data_is_enough,
    ),
    "T2": Claim(
        "On the easiest images a good rewind point is reached in fewer steps than on all, or on random ones.",
        TICKETS,
        "Error of levels from a rewind point after as many steps on all or random images minus that from the easiest: "
        "above 0 somewhere. It does not hold if it is below epsilon everywhere.",
        tickets_on_a_diet.easy_data_are_faster,
    ),
    "T3": Claim(
        "The fraction of images linearly connected at the rewind point predicts how well pruning does from it.",
        TICKETS,
        "Rank correlation, over four rewind points or more, of the fraction of training images on which children that "
        "part there are connected, with fewer errors of levels, pruned alike: above 0.5 at the lowest density.",
        tickets_on_a_diet.connected_images_predict_success,
    ),
}


def findings(results: Results, claims: Mapping[str, Claim] = CLAIMS) -> dict[str, dict[str, Any]]:
    """Of every claim what ``metrics/claims.json`` has: statement, verdict, why, effect, low, high, unit, rule, source;
    null where there is no number."""
    return {
        name: {
            "statement": claim.statement,
            **asdict(claim.test(results)),
            "rule": claim.rule,
            "source": claim.source,
        }
        for name, claim in claims.items()
    }


def in_words(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The findings as lines of text, one a claim."""
    return "\n".join(f"{name:4}{entry['verdict']:14}{entry['why']}" for name, entry in found.items())
