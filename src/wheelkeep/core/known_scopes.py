"""Scopes held against a configuration: whoever makes a token means an index or a source that is there."""

from wheelkeep.core.access import Scope, read_scope
from wheelkeep.core.nearest import suggestion
from wheelkeep.core.settings import HostedSource, Settings


def read_known_scope(text: str, settings: Settings) -> Scope:
    """A scope whose index or hosted source the configuration has; raises ValueError with the nearest that it has."""
    scope = read_scope(text)
    if scope.word == "read" and scope.where not in settings.indexes:
        hint = suggestion(scope.where, settings.indexes)
        raise ValueError(f'{text}: there is no index "{scope.where}": {hint}')
    hosted = [name for name, source in settings.sources.items() if isinstance(source, HostedSource)]
    if scope.word == "publish" and scope.where not in hosted:
        if scope.where in settings.sources:
            says = f'"{scope.where}" takes no uploads, only a hosted source does'
        else:
            says = f'there is no source "{scope.where}"'
        raise ValueError(f"{text}: {says}: {suggestion(scope.where, hosted)}")
    return scope
