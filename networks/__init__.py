"""Your own networks, for ``network.name: networks.MODULE:FUNCTION`` in params.yaml, and the files of starting weights,
for ``network.weights: networks/FILE.safetensors``.

DVC watches this folder, and a change of a module, or of what it imports from here, reruns what is trained with it. A
network that reads files of its own is a folder here, networks/NAME/, of which every file counts. example.py is one.
"""
