"""What the log may have of a request."""

import pytest

from wheelkeep.core import token_text
from wheelkeep.web.respond import unsecret

TOKEN = token_text.write(bytes(range(32)))


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        ("/main/simple/demo/", "/main/simple/demo/"),
        (f"/main/simple/{TOKEN}/", "/main/simple/wk_.../"),
        (f"/main/files/{TOKEN}/-/{TOKEN}.whl", "/main/files/wk_.../-/wk_....whl"),
        (f"pip/{TOKEN}", "pip/wk_..."),
        (f"/main/stage/wks_{'a-B' * 14}/simple/", "/main/stage/wks_.../simple/"),
    ],
)
def test_a_secret_in_the_wrong_place_is_not_logged(sent: str, logged: str) -> None:
    assert unsecret(sent) == logged
