"""Invents a roster, the organisation it meets and the truth about every row: same seed, same bytes.

    generate.py FOLDER ROWS SEED

Writes `roster.csv`, `org.csv` (for `simulate --seed-csv`) and `truth.csv` (see `truth.py`). Which kind of row it writes is
decided first and the other side put in place, so the truth is known by construction: nothing here normalises or joins.
Domains are reserved for tests.
"""

import csv
import random
import sys
import unicodedata
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import truth

# Per mille of the roster. What is left is new.
SHARES = ((truth.PRESENT, 230), (truth.INACTIVE, 50), (truth.DELETED, 30), (truth.DUPLICATE, 40), (truth.INVALID, 15))
# Per mille of the rows of every verdict but `invalid`; doubles have spellings of their own.
CAPITALS, BLANKS, ODD = 150, 100, 10
# Users whom the roster does not list, per 1,000 rows; and per mille of all users who have capitals in the organisation.
ELSEWHERE = (("active", 500), ("inactive", 50), ("deleted", 20))
CAPITALS_THERE = 100

GIVEN = "ada ben cai dora emil fay gus hana ivo jan kim lea max nia ola pia raj sam tea uma vera zoe".split()
SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeio"]
DOMAINS = ("acme.test", "bolton.test", "kitesby.test")
DEPARTMENTS = ("Customer Care", "Sales", "Finance", "Field Service", "Research, Development", "People")
TITLES = ("Agent", "Senior Agent", "Team Lead", "Quality Analyst", "Workforce Planner", "Trainer")

Spelling = tuple[str, Callable[[str], str]]
# Ways to write an address that strip() and lower() undo ...
CASES: list[Spelling] = [
    ("capitals", str.title),
    ("capitals", str.upper),
    ("capitals", lambda a: a.split("@")[0].title() + "@" + a.split("@")[1]),
]
AROUND: list[Spelling] = [
    ("blanks", lambda a: f" {a}"),
    ("blanks", lambda a: f"{a}  "),
    ("blanks", lambda a: f"\u00a0{a}\u00a0"),
]
# ... and ways that they do not, all of them out of real spreadsheets and address books.
ODDITIES: list[Spelling] = [
    ("zero-width space", lambda a: a[:3] + "\u200b" + a[3:]),
    ("byte order mark", lambda a: "\ufeff" + a),
    ("soft hyphen", lambda a: a[:2] + "\u00ad" + a[2:]),
    ("left-to-right mark", lambda a: a + "\u200e"),
    ("mailto:", lambda a: "mailto:" + a),
    ("Name <address>", lambda a: f"{a.split('.')[0].title()} <{a}>"),
    ("full-width letters", lambda a: "".join(chr(ord(c) + 0xFEE0) for c in a.split(".")[0]) + a[a.index(".") :]),
]
# What no directory takes, whatever else it thinks of addresses.
NO_ADDRESS: list[Spelling] = [
    ("no address", lambda _: ""),
    ("no @", lambda a: a.replace("@", ".")),
    ("two @", lambda a: a.replace(".", "@", 1)),
    ("blank inside", lambda a: a.replace(".", " ", 1)),
]


@dataclass
class Person:
    number: int
    given: str
    family: str
    address: str


@dataclass
class Row:
    person: Person
    verdict: str
    kind: str
    spelt: str
    nameless: bool = False


class Luck:
    """Choices that are the same with every Python: only `random()` promises its sequence."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed).random

    def below(self, n: int) -> int:
        return int(self.random() * n)

    def pick(self, items: "list | tuple"):
        return items[self.below(len(items))]

    def shuffled(self, items: list) -> list:
        return [item for _, _, item in sorted((self.random(), n, item) for n, item in enumerate(items))]

    def uuid(self) -> str:
        return str(uuid.UUID(int=self.below(1 << 53) << 75 | self.below(1 << 53), version=4))


class World:
    def __init__(self, n_rows: int, seed: int) -> None:
        self.luck, self.n_rows = Luck(seed), n_rows
        self.turn = 0
        self.taken: "set[str]" = set()
        self.users: "list[list[str]]" = []

    def person(self) -> Person:
        """Somebody whose address nobody else has, whatever is done about case."""
        while True:
            given, family = self.luck.pick(GIVEN), "".join(self.luck.pick(SYLLABLES) for _ in range(3))
            address = f"{given}.{family}@{self.luck.pick(DOMAINS)}"
            if address not in self.taken:
                self.taken.add(address)
                return Person(len(self.taken), given.title(), family.title(), address)

    def user(self, person: Person, state: str) -> None:
        address = self.luck.pick(CASES)[1](person.address) if self.luck.below(1000) < CAPITALS_THERE else person.address
        name = f"{person.given} {person.family}"
        jobs = [self.luck.pick(DEPARTMENTS), self.luck.pick(TITLES)]
        self.users.append([self.luck.uuid(), name, address, address, state, *jobs])

    def rows(self) -> "list[Row]":
        """The roster, in its order."""
        n = {verdict: self.n_rows * share // 1000 for verdict, share in SHARES}
        states = {truth.PRESENT: "active", truth.INACTIVE: "inactive", truth.DELETED: "deleted"}
        rows = []
        for verdict, state in states.items():
            for row in self.dressed(verdict, n[verdict]):
                self.user(row.person, state)
                rows.append(row)
        rows += self.dressed(truth.NEW, self.n_rows - sum(n.values()))
        rows += self.invalid(n[truth.INVALID])
        return self.with_doubles(self.luck.shuffled(rows), n[truth.DUPLICATE])

    def dressed(self, verdict: str, n: int) -> "list[Row]":
        """`n` people, some of them spelt in capitals, with blanks around or oddly; as many as the shares say."""
        counts = [(CASES, n * CAPITALS // 1000), (AROUND, n * BLANKS // 1000), (ODDITIES, max(1, n * ODD // 1000))]
        spellings = [spellings[(at + self.turn) % len(spellings)] for spellings, times in counts for at in range(times)]
        self.turn += counts[-1][1]  # the next verdict goes on with the next oddity
        spellings += [("", str)] * (n - len(spellings))
        people = [self.person() for _ in range(n)]
        return [Row(p, verdict, kind, spell(p.address)) for p, (kind, spell) in zip(people, spellings)]

    def invalid(self, n: int) -> "list[Row]":
        rows = []
        for at in range(n):
            person = self.person()
            if at % 5 == 4:
                rows.append(Row(person, truth.INVALID, "no name", person.address, nameless=True))
                continue
            kind, spell = NO_ADDRESS[at % 5]
            rows.append(Row(person, truth.INVALID, kind, spell(person.address)))
        return rows

    def with_doubles(self, rows: "list[Row]", n: int) -> "list[Row]":
        """The rows with `n` doubles somewhere behind those they repeat, every other one right behind it."""
        sayable = [
            row for row in rows if row.verdict in (truth.NEW, truth.PRESENT) and row.kind in ("", "capitals", "blanks")
        ]
        spellings = [("", str), *CASES, ("", str), *AROUND, ("", str), CASES[1], ("", str), ODDITIES[0]]
        for at, base in enumerate(self.luck.shuffled(sayable)[:n]):
            kind, spell = spellings[at // 2 % len(spellings)]
            double = Row(base.person, truth.DUPLICATE, kind, spell(base.person.address))
            place = next(i for i, row in enumerate(rows) if row is base) + 1
            rows.insert(place if at % 2 else place + self.luck.below(len(rows) - place + 1), double)
        return rows

    def elsewhere(self) -> None:
        """Users whom nobody's roster lists."""
        for state, share in ELSEWHERE:
            for _ in range(self.n_rows * share // 1000):
                self.user(self.person(), state)

    def cells(self, row: Row, number: int) -> "list[str]":
        name = ["", ""] if row.nameless else [row.person.given, row.person.family]
        return [f"E{number:05}", *name, row.spelt, self.luck.pick(DEPARTMENTS), self.luck.pick(TITLES)]


def write(path: Path, head: "tuple[str, ...]", records: "list[list]") -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([head, *records])


def main(folder: Path, n_rows: int, seed: int) -> None:
    world = World(n_rows, seed)
    rows = world.rows()
    world.elsewhere()
    for row in rows:
        assert row.person.address == unicodedata.normalize("NFKC", row.person.address).lower()
    folder.mkdir(parents=True, exist_ok=True)
    write(folder / "roster.csv", truth.COLUMNS, [world.cells(row, n + 1) for n, row in enumerate(rows)])
    users = world.luck.shuffled(world.users)
    write(folder / "org.csv", ("id", "name", "email", "username", "state", "department", "title"), users)
    true = [
        [n + 1, row.verdict, row.person.number, "" if row.verdict == truth.INVALID else row.person.address, row.kind]
        for n, row in enumerate(rows)
    ]
    write(folder / "truth.csv", truth.FIELDS, true)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
