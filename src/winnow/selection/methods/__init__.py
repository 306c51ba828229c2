"""The selection methods: each a file, with a function of its name.

The function takes the evidence (``evidence.Evidence``), how many images to keep, a random generator, and its options as
keyword arguments, and gives what it chose (``evidence.Chosen``). The options and their types are the keys of
params.yaml; one called ``epoch`` is ``select.epoch`` where it is left out, one called ``score`` is a score that
params.yaml asks for. It raises ValueError for options that cannot be met, in words that name the option. A module that
sets NEEDS_FEATURES to True asks for the features of its ``epoch``.
"""
