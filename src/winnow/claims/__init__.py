"""What the papers claim, and which of it holds in the results of an experiment. ``register.py`` has the claims."""
