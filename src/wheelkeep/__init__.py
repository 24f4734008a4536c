"""wheelkeep: a keep for Python packages between an organisation's builds and everybody else's indexes."""

__version__ = "0.1.0"
