"""What is true of every row, and how it is kept: shared by who writes it (`generate.py`) and who judges by it (`check.py`).

Three flat files beside the roster, one entry a row, so that ten million rows are read in a blink and by anything:

* `truth.verdict`  one byte: a verdict below, plus `PLAIN` where trim + lower case alone are sure to decide the row rightly
* `truth.kind`     one byte: what is odd about the row, an index into `KINDS`
* `truth.first`    four bytes, little-endian: the row (from 0) that stands for this row's person, itself unless a double
"""

import sys
from array import array
from pathlib import Path
from typing import NamedTuple

VERDICTS = ("new", "present", "deleted", "duplicate", "invalid")
NEW, PRESENT, DELETED, DUPLICATE, INVALID = range(len(VERDICTS))
PLAIN = 0x80

NOTHING_ODD = 0
KINDS = (
    "nothing odd",
    "accent apart from its letter",
    "domain in Unicode letters",
    "full-width letters",
    "invisible character",
    "mailto: in front",
    "Name <address>",
    "dot after the domain",
    "no-break spaces around",
    "double of an odd spelling",
    "invalid: empty",
    "invalid: no @",
    "invalid: two @",
    "invalid: blank inside",
    "invalid: two addresses",
    "invalid: domain of one label",
    "invalid: two dots",
)
(_, ACCENT, IDN, WIDE, INVISIBLE, MAILTO, ANGLE, DOT, NO_BREAK, DOUBLE_OF_ODD) = range(10)
EMPTY, NO_AT, TWO_AT, BLANK, TWO, ONE_LABEL, TWO_DOTS = range(10, len(KINDS))

COLUMNS = (
    "Employee ID",
    "First Name",
    "Last Name",
    "Work Email",
    "Department",
    "Job Title",
    "Office",
    "Company",
    "Manager Email",
    "Cost Center",
    "Start Date",
)
EMAIL = COLUMNS.index("Work Email")


class Truth(NamedTuple):
    """The three files, read."""

    verdict: bytes
    plain: bytes
    kind: bytes
    first: "array[int]"


def read(folder: Path) -> Truth:
    """Reads what the generator wrote into `folder`."""
    marked = (folder / "truth.verdict").read_bytes()
    first = array("I")
    first.frombytes((folder / "truth.first").read_bytes())
    if sys.byteorder == "big":
        first.byteswap()
    return Truth(
        verdict=marked.translate(bytes(byte & ~PLAIN & 0xFF for byte in range(256))),
        plain=marked.translate(bytes(byte >> 7 for byte in range(256))),
        kind=(folder / "truth.kind").read_bytes(),
        first=first,
    )
