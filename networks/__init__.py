"""Your own networks, and files of starting weights. params.yaml names them: ``networks.NAME.name:
networks.MODULE:FUNCTION``, ``networks.NAME.weights: networks/FILE.safetensors``.

DVC watches this folder, and a change of a module, or of what it imports from here, reruns what is trained with it. A
network that reads files of its own is a folder here, networks/NAME/, of which every file counts. example.py is one.
"""
