"""A script that stands in a page compressed: its letters, its size, and a browser that cannot unpack it."""

import base64
import gzip
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tsbench.plots.packed import letters, packed
from tsbench.plots.page import standalone

B85 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~"
OURS = bytes(range(35, 120)).replace(b"<", b"~")


@given(st.binary(max_size=300))
def test_the_letters_are_those_of_base_85_in_another_alphabet(content: bytes) -> None:
    theirs = base64.b85encode(content, pad=True).translate(bytes.maketrans(B85, OURS))
    assert letters(content) == theirs.decode()


def test_no_letter_can_end_the_element_or_open_another() -> None:
    text = packed("let every = 'byte';" * 1000)
    assert set(letters(bytes(range(256)) * 300)) <= set(OURS.decode())
    assert "<" not in OURS.decode()
    assert text.count("<script") == text.count("</script>") == 2
    assert "<noscript><p>This page draws its figure with JavaScript" in text


def test_what_is_packed_is_the_script() -> None:
    text = packed("alert('ü')")
    element = text.partition("</script>")[0]
    size = int(element.partition('data-bytes="')[2].partition('"')[0])
    content = base64.b85decode(element.partition(">")[2].encode().translate(bytes.maketrans(OURS, B85)))
    assert gzip.decompress(content[:size]).decode() == "alert('ü')"


@pytest.mark.browser
def test_a_browser_that_cannot_unpack_says_what_is_wanted(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(standalone(go.Figure(), "one"), "utf-8")
    page = browser.new_page()
    page.add_init_script("delete window.DecompressionStream")
    page.goto(path.as_uri())
    page.get_by_text("A browser of 2023 or later can draw it").wait_for()
    page.close()
