"""The front door: command line, recipe, stage order, execution, report. Imports every other package, lazily."""

from hanjo.version import __version__

__distribution__ = "hanjo"
__all__ = ["__version__"]
