"""Lottery tickets: masks over a network's weights, how they are cut, and what comes of them."""
