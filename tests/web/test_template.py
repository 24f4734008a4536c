"""Templates: what a package says is text in them, and a value that nobody gave is an error."""

import pytest
from jinja2 import UndefinedError

from wheelkeep.web.template import Template


def test_values_are_text_and_all_are_needed() -> None:
    home = Template("home.html")
    wicked = '<script>alert("1")</script>'
    html = home.render(version=wicked, static="static/", up="", indexes=[])
    assert wicked not in html
    assert "&lt;script&gt;" in html
    with pytest.raises(UndefinedError):
        home.render(static="static/")
