"""How a cut is shared between layers: each allocation a file, with a function of its name.

The function takes the layers (``Layers``, in the alphabetical order of their names), how many weights all keep
together, and its options as keyword arguments, and gives how many each layer keeps. The counts sum to the total; each
is at least its layer's ``least`` and at most what there is. Of each layer the weights of the highest scores stay, and
of equal scores those that come later.
"""
