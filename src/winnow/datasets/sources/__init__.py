"""The sources of images, a file each, with a function of the same name that takes the section download and returns a
``source.Source``.

The function raises UserError, with the reason and a remedy, if images are missing or damaged. A source is imported only
when it is used, because importing torchvision takes seconds.
"""
