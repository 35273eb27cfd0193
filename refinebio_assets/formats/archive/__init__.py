"""Tar and zip archives, plain or compressed, taken apart safely; what their files mean is others' work.

An archive is recognized by its content. A single compressed file (``.gz``, ``.bz2``) is no archive, and a
document that happens to be a zip (xlsx, ods, jar) is a file.
"""

from refinebio_assets.formats.archive.extraction import extract_member, extract_members
from refinebio_assets.formats.archive.limits import Limits
from refinebio_assets.formats.archive.unpacking import LeftOut, Member, Unpacked, Unpacking, members, unpack

__all__ = [
    "LeftOut",
    "Limits",
    "Member",
    "Unpacked",
    "Unpacking",
    "extract_member",
    "extract_members",
    "members",
    "unpack",
]
