"""A tar archive that is streamed is what tarfile reads, and as long as was said before."""

from __future__ import annotations

import tarfile
from functools import partial
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from refinebio_assets.errors import CorruptionError
from refinebio_assets.formats.tar_stream import TarMember, tar_chunks, tar_length

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0/"), min_size=1, max_size=200)


def members(files: dict[str, bytes]) -> list[TarMember]:
    return [TarMember(name, len(content), partial(BytesIO, content)) for name, content in files.items()]


@given(st.dictionaries(NAMES.map("index/{}".format), st.binary(max_size=1500), max_size=4))
def test_it_reads_back_to_the_files_and_is_as_long_as_was_said(files: dict[str, bytes]) -> None:
    archive = b"".join(tar_chunks(members(files)))
    assert len(archive) == tar_length(members(files))
    assert archive == b"".join(tar_chunks(members(files)))
    with tarfile.open(fileobj=BytesIO(archive)) as found:
        read = {info.name: found.extractfile(info) for info in found}
        assert {name: file.read() if file else None for name, file in read.items()} == files


def test_a_file_larger_than_an_octal_number_has_a_header() -> None:
    huge = TarMember("pos.bin", 9 << 30, BytesIO)
    assert tar_length([huge]) == 512 + (9 << 30) + 1024


@pytest.mark.parametrize("said", [2, 4])
def test_a_file_of_another_length_ends_the_stream(said: int) -> None:
    wrong = TarMember("info.json", said, lambda: BytesIO(b"abc"))
    with pytest.raises(CorruptionError, match=r"info\.json: expected"):
        list(tar_chunks([wrong]))
