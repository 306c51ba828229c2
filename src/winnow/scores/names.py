"""The scores there are. Names only: what computes a score is the module of its name."""

OF_OUTPUTS = ("el2n", "loss", "margin")  # functions of log softmax and labels
OF_VISITS = ("forgetting",)  # from whether an image was classified right, visit by visit
OF_GRADIENTS = ("grand",)  # from the early networks themselves
OF_THE_DATA = ("input_norm", "random")  # not from training, so without an epoch
OF_FILES = OF_OUTPUTS + OF_VISITS + OF_THE_DATA  # all that takes no pass through a network
BY_EPOCH = OF_OUTPUTS + OF_VISITS + OF_GRADIENTS
ALL = BY_EPOCH + OF_THE_DATA
