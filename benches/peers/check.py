"""Judges what a tool wrote by the truth, not by what another tool wrote.

Reads with Python's own `csv`, which none of the measured tools uses.
"""

import csv
import zlib
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, Optional

import truth
from truth import NEW, Truth


class Expected(NamedTuple):
    """The truth, and what the roster says in the rows that matter."""

    truth: Truth
    cells: "array[int]"
    """A checksum of the cells of every new row."""
    odd: "dict[int, str]"
    """The addresses, as they are spelt, of the rows that trim + lower case need not get right."""


class Judged(NamedTuple):
    """What a tool got wrong, by row number (from 0)."""

    wrong: "list[int]"
    altered: "list[int]"
    """New rows whose cells did not come back as they were."""


class Unreadable(Exception):
    """A tool's file is not what it should be."""


def records(path: Path) -> "Iterator[tuple[int, list[str]]]":
    """Row numbers (from 0) and source cells. Columns after the source's are the tool's own."""
    width = len(truth.COLUMNS)
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file)
        if next(reader, [])[:width] != list(truth.COLUMNS):
            raise Unreadable(f"{path.name}: its first columns are not the roster's")
        for record in reader:
            try:
                yield int(record[0][1:]) - 1, record[:width]
            except (IndexError, ValueError):
                raise Unreadable(f"{path.name}: line {reader.line_num} has no employee id: {record[:width]}") from None


def checksum(cells: "list[str]") -> int:
    return zlib.crc32("\x1f".join(cells).encode())


def expect(folder: Path) -> Expected:
    """Reads truth and roster of one size."""
    true = truth.read(folder)
    n_rows = len(true.verdict)
    expected = Expected(true, array("I", bytes(array("I").itemsize * n_rows)), {})
    read = 0
    for row, cells in records(folder / "roster.csv"):
        if row != read:
            raise Unreadable(f"roster.csv: row {read + 1} calls itself {row + 1}")
        read += 1
        if true.verdict[row] == NEW:
            expected.cells[row] = checksum(cells)
        if not true.plain[row]:
            expected.odd[row] = cells[truth.EMAIL]
    if read != n_rows:
        raise Unreadable(f"roster.csv: {read} rows, but {n_rows} in the truth")
    return expected


def judge_new_rows(expected: Expected, path: Path, keeps_first: bool) -> Judged:
    """Compares a file of new rows with the truth. Every row has to be there or not, and once."""
    true = expected.truth
    seen: "Counter[int]" = Counter()
    altered = []
    for row, cells in records(path):
        if not 0 <= row < len(true.verdict):
            raise Unreadable(f"{path.name}: there is no row {row + 1}")
        seen[row] += 1
        if true.verdict[row] == NEW and checksum(cells) != expected.cells[row]:
            altered.append(row)
    wrong = [row for row, times in seen.items() if times > 1]
    found = set(seen) if keeps_first else standing(true, set(seen))
    wrong += [row for row in found if true.verdict[row] != NEW]
    wrong += [row for row, verdict in enumerate(true.verdict) if verdict == NEW and row not in found]
    return Judged(sorted(set(wrong)), altered)


def standing(true: Truth, found: "set[int]") -> "set[int]":
    """For a tool that keeps any row of a key: the double it kept counts as the row that stands for it, if that is missing."""
    doubles = [row for row in found if true.first[row] != row and true.verdict[true.first[row]] == NEW]
    # Oddly spelt doubles last: they are a key of their own to such a tool, and must not take a plain one's place.
    for row in sorted(doubles, key=lambda row: (not true.plain[row], row)):
        if true.first[row] not in found:
            found.remove(row)
            found.add(true.first[row])
    return found


def judge_verdicts(expected: Expected, folder: Path) -> Judged:
    """Compares a plan directory with the truth: every row once, in the file of its verdict."""
    true = expected.truth
    given = bytearray(b"\xff" * len(true.verdict))
    wrong, altered = [], []
    for code, name in enumerate(truth.VERDICTS):
        for row, cells in records(folder / f"{name}.csv"):
            if given[row] != 0xFF:
                wrong.append(row)
            given[row] = code
            if code == NEW == true.verdict[row] and checksum(cells) != expected.cells[row]:
                altered.append(row)
    wrong += [row for row, pair in enumerate(zip(given, true.verdict)) if pair[0] != pair[1]]
    return Judged(sorted(set(wrong)), altered)


def say_rows(expected: Expected, rows: "Iterable[int]", roster: Path, limit: int = 20) -> "list[str]":
    """Rows for a reader: number, address as spelt, what is odd, what is true."""
    wanted = set(sorted(rows)[:limit])
    true = expected.truth
    last = max(wanted, default=-1)
    said = []
    for row, cells in records(roster):
        if row in wanted:
            kind, verdict = truth.KINDS[true.kind[row]], truth.VERDICTS[true.verdict[row]]
            said.append(f"  row {row + 1}: {show(cells[truth.EMAIL])} ({kind}) is {verdict}")
        if row >= last:
            break
    return said


def show(text: str) -> str:
    """Letters and digits of every script stay; marks, blanks and what cannot be seen become escapes."""
    return (
        '"' + "".join(c if c.isalnum() or c.isascii() and c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text) + '"'
    )


class OddKind(NamedTuple):
    """One kind of row that trim + lower case need not get right, and who did not."""

    kind: str
    rows: int
    missed_by_all: int
    missed: "dict[str, int]"
    example: Optional[str]


def odd_kinds(expected: Expected, wrong: "dict[str, set[int]]", ours: "set[int]") -> "list[OddKind]":
    """Counts by kind the odd rows that peers decided wrongly; `wrong` has an entry per peer, `ours` is what we decided wrongly."""
    true = expected.truth
    by_kind: "dict[int, list[int]]" = {}
    for row in expected.odd:
        by_kind.setdefault(true.kind[row], []).append(row)
    kinds = []
    for kind, rows in sorted(by_kind.items()):
        missed = {peer: sum(row in theirs for row in rows) for peer, theirs in wrong.items()}
        by_all = [row for row in rows if row not in ours and all(row in theirs for theirs in wrong.values())]
        shown = by_all or [row for row in rows if any(row in theirs for theirs in wrong.values())]
        example = f"{show(expected.odd[shown[0]])} is {truth.VERDICTS[true.verdict[shown[0]]]}" if shown else None
        kinds.append(OddKind(truth.KINDS[kind], len(rows), len(by_all), missed, example))
    return kinds
