"""The scores there are. Names only: what computes a score is the module of its name."""

OF_OUTPUTS = ("el2n", "forgetting", "loss", "margin")  # from what the early networks say of the images
OF_GRADIENTS = ("grand",)  # from the early networks themselves
OF_THE_DATA = ("input_norm", "random")  # not from training, so without an epoch
BY_EPOCH = OF_OUTPUTS + OF_GRADIENTS
ALL = BY_EPOCH + OF_THE_DATA
