"""The receiver of alerts: what is sent, what counts as taken, and that its address is nobody's business."""

from collections.abc import Iterator

import pytest

from fakes.hook import Hook, signed
from wheelkeep.core.settings import AlertSettings, Secret
from wheelkeep.sources.webhook import NotTaken, Webhook


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as hook:
        yield hook


async def refused(webhook: Webhook) -> NotTaken:
    with pytest.raises(NotTaken) as caught:
        await webhook.send(1, b"{}")
    assert "hunter2" not in str(caught.value)
    return caught.value


async def test_what_is_sent(hook: Hook) -> None:
    secret = Secret("0123456789abcdef")
    for webhook in (
        Webhook(AlertSettings(webhook=Secret(hook.url), secret=secret)),
        Webhook(AlertSettings(webhook=Secret(hook.url))),
    ):
        await webhook.send(41, b'{"id": 41}')
        await webhook.close()
    (path, headers, body), (_, unsigned, _) = hook.came
    assert (path, body) == ("/hooks/hunter2?of=keep", b'{"id": 41}')
    assert (headers["Content-Type"], headers["Wheelkeep-Alert"]) == ("application/json", "41")
    assert headers["Wheelkeep-Signature"] == signed(body, "0123456789abcdef")
    assert unsigned["Wheelkeep-Signature"] is None
    assert webhook.origin == f"http://127.0.0.1:{hook.port}"


async def test_what_is_not_taken(hook: Hook) -> None:
    webhook = Webhook(AlertSettings(webhook=Secret(hook.url)))
    hook.says, hook.headers = lambda _: 307, {"Location": "http://127.0.0.1:9/elsewhere"}
    away = await refused(webhook)
    assert away.refused
    assert "HTTP 307, and a redirect is not followed" in away.reason
    hook.says, hook.headers = lambda _: 400, {}
    assert (await refused(webhook)).refused
    hook.says, hook.headers = lambda _: 503, {"Retry-After": "7"}
    busy = await refused(webhook)
    assert (busy.refused, busy.retry_after) == (False, 7.0)
    assert len(hook.came) == 3
    hook.__exit__()
    gone = await refused(webhook)
    assert not gone.refused
    assert gone.reason.startswith(f"{webhook.origin}: ")
    hook.__enter__()
    await webhook.close()
