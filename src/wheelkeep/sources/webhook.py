"""The receiver of alerts: one POST each, to the one origin that the operator names, which may be a private one."""

import hashlib
import hmac

from wheelkeep.core.errors import Unanswered
from wheelkeep.core.settings import AlertSettings
from wheelkeep.sources.client import Client
from wheelkeep.sources.origin import Origin
from wheelkeep.sources.trouble import BUSY, shown

DEADLINE = 10.0
"""Seconds that one delivery may take."""
_LATER = BUSY | {408, 425}


class NotTaken(Unanswered):
    """The receiver did not take an alert. ``refused``: it answered, so another alert may fare better."""

    def __init__(self, reason: str, *, refused: bool, retry_after: float | None = None) -> None:
        super().__init__(reason, retry_after=retry_after)
        self.refused = refused


class Webhook:
    """Used in one event loop, to be closed. Redirects are not followed: the origin is the operator's choice."""

    def __init__(self, settings: AlertSettings) -> None:
        self._url = settings.webhook
        self._secret = settings.secret
        self.origin = str(Origin.of(settings.webhook.reveal()))
        """All of its address that may be shown."""
        self._client = Client(url=settings.webhook.reveal())

    async def close(self) -> None:
        await self._client.close()

    async def send(self, number: int, body: bytes) -> None:
        """Posts one JSON document. Raises NotTaken unless the answer is a 2xx."""
        url = self._url.reveal()
        headers = {"Content-Type": "application/json", "Wheelkeep-Alert": str(number)}
        if self._secret is not None:
            digest = hmac.new(self._secret.reveal().encode(), body, hashlib.sha256).hexdigest()
            headers["Wheelkeep-Signature"] = f"sha256={digest}"
        try:
            status, again = await self._client.post(url, body, headers=headers, deadline=DEADLINE)
        except Unanswered as error:
            # With chat services the path is as good as a password.
            reason = error.reason.removeprefix(f"{shown(url)}: ")
            raise NotTaken(f"{self.origin}: {reason}", refused=False) from None
        if 200 <= status < 300:
            return
        says = f"{self.origin}: HTTP {status}"
        if 300 <= status < 400:
            says += ", and a redirect is not followed: write the address to which it leads"
        raise NotTaken(says, refused=status not in _LATER, retry_after=again)
