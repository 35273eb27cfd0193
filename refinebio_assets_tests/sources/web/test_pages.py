from __future__ import annotations

import pytest

from refinebio_assets.sources.web.pages import is_page, quoted, reads_like_passing


@pytest.mark.parametrize(
    "head",
    [
        b"<!DOCTYPE html><html>",
        b"\xef\xbb\xbf\r\n <html lang='en'>",
        b'<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',
        b"<!-- a --> <!-- b -->\n<HTML>",
    ],
)
def test_a_page_is_recognized_whatever_its_type(head: bytes):
    assert is_page("text/plain", head)


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b'<?xml version="1.0"?><!DOCTYPE ROOT><ROOT>',
        b"<htmlish>",
        b"^SERIES = GSE1\n!Series_title = <html> in words",
        b'{"html": "<html>"}',
        b"<!-- a -->" * 2000 + b"<SAMPLE>",
    ],
)
def test_data_are_no_page(head: bytes):
    assert not is_page("application/xml", head)


def test_the_type_decides_but_not_about_binary_content():
    assert is_page("Text/HTML; charset=utf-8", b"Service says no")
    assert not is_page("text/html", b"\x1f\x8b\x08\x00")
    assert not is_page("text/html", b"CEL\0\0")


def test_title_and_first_words_are_quoted():
    page = b"<html><head><title>GEO &amp; more</title><style>p {}</style></head><p>No\n  such <b>study</b>"
    assert quoted(page) == "GEO & more No such study"
    assert quoted(b"<script>x = 1</script>") == ""
    assert quoted(b"\0\x01plain") == "plain"
    assert len(quoted(b"word " * 1000)) < 200


def test_markup_is_not_read_as_a_passing_failure():
    assert reads_like_passing(b"<h1>503</h1>Please try again in a few minutes")
    assert not reads_like_passing(b"<script>maintenance()</script><p class='temporary'>No such accession")
