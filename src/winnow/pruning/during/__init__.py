"""Ways to change a mask while a network trains: each is a file, with a function of the same name.

The function takes a ``During`` and its options as keyword arguments. It returns what the training loop calls after
every step (``training.loop.Changes``). The level's weights are pruned by that hook, unless the module sets MOVES to
True: then they are pruned before the training, and the hook only moves them. If the module sets OWN_SCORES to True, the
hook prunes by scores of its own, of either sign, and the level takes no criterion. OWN_AMOUNT says that the
training settles how many weights stay, so that the level takes no ``prune``. HOLDS_WEIGHTS says that nothing trains but
the scores of weights. BY_GRADIENTS says that gradients decide which weights stay, so that images do. What the hook
needs to know from earlier steps it keeps in the run's memory, which a restart has too.
"""
