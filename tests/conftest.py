"""What every test may use. It being here puts ``tests/`` on the path, for ``from fakes import …``."""
