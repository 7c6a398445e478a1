"""What is true of every row, shared by who invents it (`generate.py`) and who judges by it (`measure.py`).

`truth.csv` has one line a row, in the order of the roster: `row` (from 1), `verdict`, `person` (rows of one person have the
same number), `address` (the one a directory would hold, empty where there is none) and `kind` (what is odd about the row).
"""

import csv
from pathlib import Path
from typing import NamedTuple

VERDICTS = ("new", "present", "inactive", "deleted", "duplicate", "invalid")
"""As in a plan, but that `inactive` rows are present there, too."""
NEW, PRESENT, INACTIVE, DELETED, DUPLICATE, INVALID = VERDICTS
FIELDS = ("row", "verdict", "person", "address", "kind")
COLUMNS = ("Employee ID", "First Name", "Last Name", "Work Email", "Department", "Job Title")
EMAIL = "Work Email"


class Row(NamedTuple):
    """One row of the roster, and what is true of it."""

    number: int
    verdict: str
    person: int
    address: str
    kind: str
    spelt: str
    """The address as the roster has it."""


def read(folder: Path) -> "list[Row]":
    """The rows that the generator wrote into `folder`, in the order of the roster."""
    with (folder / "roster.csv").open(encoding="utf-8", newline="") as file:
        spelt = [record[EMAIL] for record in csv.DictReader(file)]
    with (folder / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = [
            Row(int(line["row"]), line["verdict"], int(line["person"]), line["address"], line["kind"], text)
            for line, text in zip(csv.DictReader(file), spelt)
        ]
    if len(rows) != len(spelt):
        raise ValueError(f"{folder}: {len(spelt)} rows, but {len(rows)} in the truth")
    return rows


def seeded(folder: Path) -> "set[str]":
    """Ids of the users who are there before anybody creates one."""
    with (folder / "org.csv").open(encoding="utf-8", newline="") as file:
        return {user["id"] for user in csv.DictReader(file)}
