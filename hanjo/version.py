"""The version of the distribution, read by pyproject.toml and by `hanjo --version`."""

__version__ = "0.1.0"
