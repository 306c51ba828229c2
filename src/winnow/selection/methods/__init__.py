"""The selection methods, a file each, with a function of the same name.

The function takes the evidence (``evidence.Evidence``), how many images to keep, a random generator, and its options as
keyword arguments, and returns ``evidence.Chosen``. The options and their types are keys of params.yaml. An option
``epoch`` defaults to ``select.epoch``; an option ``score`` names a score that params.yaml asks for. The function raises
ValueError that names an option which it cannot meet. A module that sets NEEDS_FEATURES to True needs the features of
its ``epoch``; there are outputs of that epoch then too. One that sets NEEDS_VALIDATION needs validation images, and one
that sets NEEDS_TARGET chooses for another data set, its option ``target``.
"""
