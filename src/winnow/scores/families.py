"""The packages of scores. A score is a file in one of them, with a function of the same name; the package's docstring
says what the function takes and returns.
"""

OF_OUTPUTS = "winnow.scores.of_outputs"
OF_VISITS = "winnow.scores.of_visits"
OF_MARGINS = "winnow.scores.of_margins"
OF_LOSSES = "winnow.scores.of_losses"
OF_PROBABILITIES = "winnow.scores.of_probabilities"
OF_PARTS = "winnow.scores.of_parts"
OF_DATA = "winnow.scores.of_data"
OF_GRADIENTS = "winnow.scores.of_gradients"
# what the training recorded when it visited the images
OF_RECORDS = (OF_VISITS, OF_MARGINS, OF_LOSSES, OF_PROBABILITIES)
OF_FILES = (OF_OUTPUTS, *OF_RECORDS, OF_PARTS, OF_DATA)  # need no pass through a network
