"""Scores of the inputs of a network's last layer. Each takes a ``last_layer.LastLayer`` of the images, returns [n]."""
