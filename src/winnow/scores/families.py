"""Where the scores are: each a file in one of these packages, with a function of its name. What such a function takes
and gives is said in its package.
"""

OF_OUTPUTS = "winnow.scores.of_outputs"
OF_VISITS = "winnow.scores.of_visits"
OF_MARGINS = "winnow.scores.of_margins"
OF_DATA = "winnow.scores.of_data"
OF_GRADIENTS = "winnow.scores.of_gradients"
OF_FILES = (OF_OUTPUTS, OF_VISITS, OF_MARGINS, OF_DATA)  # what takes no pass through a network
