"""The packages of scores. A score is a file in one of them, with a function of the same name; the package's docstring
says what the function takes and returns.
"""

OF_OUTPUTS = "winnow.scores.of_outputs"
OF_TRAJECTORIES = "winnow.scores.of_trajectories"
OF_SEEDS = "winnow.scores.of_seeds"
OF_FEATURES = "winnow.scores.of_features"
OF_VISITS = "winnow.scores.of_visits"
OF_MARGINS = "winnow.scores.of_margins"
OF_LOSSES = "winnow.scores.of_losses"
OF_PROBABILITIES = "winnow.scores.of_probabilities"
OF_PARTS = "winnow.scores.of_parts"
OF_SPLITS = "winnow.scores.of_splits"
OF_PRETRAINED = "winnow.scores.of_pretrained"
OF_CUTS = "winnow.scores.of_cuts"
OF_DATA = "winnow.scores.of_data"
OF_GRADIENTS = "winnow.scores.of_gradients"
# what the training recorded when it visited the images
OF_RECORDS = (OF_VISITS, OF_MARGINS, OF_LOSSES, OF_PROBABILITIES)
OF_ONE_RUN = (OF_OUTPUTS, *OF_RECORDS, OF_TRAJECTORIES)  # what every run has, also one of a source of transfer
OF_ALL_SEEDS = (OF_SEEDS, OF_PARTS)  # a single seed has no such score
OF_WHOLE_TRAININGS = (OF_SPLITS, OF_PRETRAINED, OF_CUTS)  # whose seeds are not those of early
OF_FILES = (*OF_ONE_RUN, *OF_ALL_SEEDS, OF_FEATURES, *OF_WHOLE_TRAININGS, OF_DATA)  # need no pass through a network
WITHOUT_EPOCH = (*OF_WHOLE_TRAININGS, OF_DATA)  # one value, whatever epoch is asked for
