"""The ``[alerts]`` table: where alerts are posted to, and what they are signed with."""

from wheelkeep.core import places
from wheelkeep.core.settings import AlertSettings, Secret
from wheelkeep.core.surroundings import Surroundings
from wheelkeep.core.toml_source import Table

_SHORTEST = 16


def read_alerts(root: Table, around: Surroundings, elsewhere: dict[str, str]) -> AlertSettings | None:
    """What the table says, or None without one; mistakes are noted. ``elsewhere``: see ``Table.done``."""
    table = root.table("alerts")
    if table is None:
        return None
    table.need("webhook", 'write where alerts are posted to, such as "https://alerts.acme.example/wheelkeep"')
    webhook = _read_webhook(table, around)
    secret = around.credential(table, "secret")
    if secret is not None and len(secret.reveal()) < _SHORTEST:
        table.warn("secret", f"is short enough to be guessed: take {_SHORTEST} characters or more")
    table.done(elsewhere)
    return AlertSettings(webhook=webhook, secret=secret) if webhook is not None else None


def _read_webhook(table: Table, around: Surroundings) -> Secret | None:
    """The URL as it is written, or the secret that it points to: with chat services the URL is all that is needed."""
    written = table.text("webhook")
    if written is None:
        return None
    pointed = written.startswith(("env:", "file:"))
    given = around.credential(table, "webhook") if pointed else Secret(written)
    if given is None:
        return None
    try:
        url = places.read_webhook(given.reveal())
    except ValueError as error:
        table.wrong("webhook", str(error))
        return None
    if places.in_the_clear(url):
        table.warn("webhook", "is plain http: whoever sits on the way reads who has what; use https")
    return Secret(url)
