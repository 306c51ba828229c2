"""Which weights are kept: what they are worth, how many of each layer stay, when, and what the survivors train from."""
