"""Invents a roster, an organisation's export and the truth about every row: same seed, same bytes.

    generate.py FOLDER ROWS USERS SEED

Everything about a row is a pure function of its number and the seed (who it is, how it is spelt, which earlier row it
doubles), so the files are written in blocks with flat memory, and the truth is known by construction: nothing here
normalises an address or joins anything. Addresses are in domains reserved for tests.
"""

import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

import truth

Numbers = np.ndarray  # of uint64
BLOCK = 1 << 18

# Of a roster's rows. What is left, 24 %, is new.
EXISTING, DOUBLES, INVALID = 0.70, 0.05, 0.01
# Odd spellings among a million rows, beside the people whose address is odd by itself.
ODD_OF_A_MILLION = 700
# One person in so many has an accent in the address, and as many live in an internationalised domain.
ODD_PERSON = 2_000

GIVEN = (
    "ada al amy ana anja ari asa ava ben bo cai cem dag dan dora ed elif emil eva fay finn gil gus hana hugo ian ida ines "
    "isa ivo jan jo jun kai kim lea lee leo lin lou luca mara max mei mia mika nia nils noa ola omar otto pia raj rui sam "
    "sol tea tom uma uli vera yara zoe"
).split()
SYLLABLES = [consonant + vowel for consonant in "bdfghjklmnprstvz" for vowel in "aeio"]
FAMILIES = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
DOMAINS = ("acme.test", "bolton.test", "kitesby.test", "novara.test")
DOMAINS_IN_LETTERS = ("bücher.test", "köln.test", "façade.test", "løsning.test")
ACCENTS = str.maketrans({"a": "á", "e": "é", "i": "í", "o": "ó", "u": "ú"})
PEOPLE_BITS = 26  # 6 for the given name, 18 for the family name, 2 for the domain
assert len(GIVEN) == len(set(GIVEN)) == 64 and len(FAMILIES) == 1 << 18

DEPARTMENTS = ("Customer Care", "Sales", "Finance", "Field Service", '"Research, Development"', "People", "Legal")
TITLES = (
    "Agent",
    "Senior Agent",
    "Team Lead",
    "Quality Analyst",
    "Workforce Planner",
    '"Manager, Back Office"',
    "Trainer",
)
COMPANIES = ("Acme Holding", "Acme Services Ltd", "Bolton & Daughters", "Kitesby Group", '"Novara, Inc."')
OFFICES = (
    *("Remote", "Lisbon", "Utrecht", "Brno Vlněna", "Valparaíso", "Halifax", "Wellington", "Kigali Heights"),
    *('"São Paulo, Paulista"', '"Tower ""B"", Level 3"', '"North Campus\nBuilding 7"'),
)
# What stands around one name in a hundred or so: commas, quotes, line breaks.
FIRST_AFTER = ("",) * 97 + (' ""Bee"""', ', Dr."', '\n(she)"')
LAST_AFTER = ("",) * 97 + (', Jr."', ' ""the elder"""', '\nde Souza"')
CASES = (str.lower, str.title, str.upper)
CASE_OF = np.repeat(np.arange(3, dtype=np.uint64), [70, 24, 6])
BLANKS = ("",) * 45 + (" ", "  ", " ", "   ", " ")
STATES = ("active",) * 85 + ("inactive",) * 10 + ("deleted",) * 5
STATE_VERDICTS = np.array([truth.DELETED if s == "deleted" else truth.PRESENT for s in STATES], np.uint8)
ROW_KINDS = np.array([truth.WIDE, truth.INVISIBLE, truth.MAILTO, truth.ANGLE, truth.DOT, truth.NO_BREAK], np.uint8)
ROLE_EXISTING, ROLE_DOUBLE, ROLE_INVALID, ROLE_NEW = range(4)


def scatter(numbers: Numbers, salt: int) -> Numbers:
    """64 bits that look random; the same for the same number and salt."""
    with np.errstate(over="ignore"):
        x = (numbers.astype(np.uint64) + np.uint64(salt % 2**64)) * np.uint64(0xD6E8FEB86659FD93)
        x = (x ^ (x >> np.uint64(32))) * np.uint64(0xA0761D6478BD642F)
        x = (x ^ (x >> np.uint64(29))) * np.uint64(0xE7037ED1A0B428DB)
        return x ^ (x >> np.uint64(32))


class Shuffle:
    """A bijection of 0..n: an order, without a table to keep in memory."""

    def __init__(self, n: int, salt: int) -> None:
        self.n = np.uint64(n)
        bits = max((n - 1).bit_length(), 2)
        self.mask, self.half = np.uint64((1 << bits) - 1), np.uint64(bits // 2)
        keys = scatter(np.arange(8, dtype=np.uint64), salt)
        self.rounds = [(keys[2 * i] | np.uint64(1), keys[2 * i + 1]) for i in range(4)]

    def __call__(self, numbers: Numbers) -> Numbers:
        """The new places; one that falls outside 0..n is shuffled on until it is inside."""
        places = self._once(numbers.astype(np.uint64))
        outside = np.flatnonzero(places >= self.n)
        while outside.size:
            places[outside] = self._once(places[outside])
            outside = outside[places[outside] >= self.n]
        return places

    def _once(self, x: Numbers) -> Numbers:
        with np.errstate(over="ignore"):
            for odd, key in self.rounds:
                x = (x * odd + key) & self.mask
                x = x ^ (x >> self.half)
        return x


def strings(words: "list[str] | tuple[str, ...]") -> pa.Array:
    return pa.array(words, pa.string())


def in_cases(words: "list[str] | tuple[str, ...]", before: str = "", after: str = "") -> pa.Array:
    """Each word in each of `CASES`, one case after the other."""
    return strings([before + case(word) + after for case in CASES for word in words])


def join(*parts: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(*parts, "")


def cell(text: str) -> str:
    """As it stands in a CSV."""
    return '"' + text.replace('"', '""') + '"' if any(c in text for c in ',"\n') else text


class People:
    """Who a number is. Different numbers have different addresses, whatever is done about case, accents or domains."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.shuffle = Shuffle(1 << PEOPLE_BITS, seed + 1)
        self.given, self.family = in_cases(GIVEN, after="."), in_cases(FAMILIES)
        self.first, self.last = strings([g.title() for g in GIVEN]), strings([f.title() for f in FAMILIES])
        self.domain = in_cases(DOMAINS, before="@")

    def parts(self, people: Numbers) -> "tuple[Numbers, Numbers, Numbers]":
        """Indices of given name, family name and domain."""
        code = self.shuffle(people)
        return code & np.uint64(63), (code >> np.uint64(6)) & np.uint64((1 << 18) - 1), code >> np.uint64(24)

    def nature(self, people: Numbers) -> np.ndarray:
        """Whose address is odd by itself: `ACCENT`, `IDN` or neither."""
        roll = scatter(people, self.seed + 2) % np.uint64(ODD_PERSON)
        return np.select([roll == 0, roll == 1], [truth.ACCENT, truth.IDN], truth.NOTHING_ODD).astype(np.uint8)

    def state(self, people: Numbers) -> Numbers:
        return scatter(people, self.seed + 3) % np.uint64(len(STATES))

    def addresses(self, people: Numbers, cases: Numbers) -> pa.Array:
        """In a hurry, for everybody whose address is not odd."""
        given, family, domain = self.parts(people)
        return join(
            self.given.take(pa.array(cases * np.uint64(64) + given)),
            self.family.take(pa.array(cases * np.uint64(1 << 18) + family)),
            self.domain.take(pa.array(cases * np.uint64(len(DOMAINS)) + domain)),
        )

    def spell(self, person: int, kind: int, luck: int) -> str:
        """One person's address in one odd spelling or as an invalid one, with leisure. `kind` 0: as a directory has it."""
        number = np.array([person], np.uint64)
        g, f, d = (int(index[0]) for index in self.parts(number))
        nature = int(self.nature(number)[0])
        given, family, domain = GIVEN[g], FAMILIES[f], DOMAINS[d]
        if nature == truth.ACCENT:
            given = given.translate(ACCENTS)
        if nature == truth.IDN:
            domain = DOMAINS_IN_LETTERS[d]
            if kind != truth.IDN:
                domain = domain.encode("idna").decode("ascii")
        address = f"{given}.{family}@{domain}"
        name = f"{given.title()} {family.title()}"
        if kind == truth.ACCENT:
            return unicodedata.normalize("NFD", address)
        if kind == truth.WIDE:
            return "".join(chr(ord(c) + 0xFEE0) for c in given) + address[len(given) :]
        if kind == truth.INVISIBLE:
            at = 1 + luck % (len(address) - 1)
            return address[:at] + "\u200b\u200d\u00ad\ufeff"[luck % 4] + address[at:]
        if kind == truth.ANGLE and luck % 2:
            name = f'"{family.title()}, {given.title()}"'
        return {
            truth.MAILTO: f"mailto:{address}",
            truth.ANGLE: f"{name} <{address}>",
            truth.DOT: f"{address}.",
            truth.NO_BREAK: f"\u00a0{address}\u00a0",
            truth.EMPTY: "",
            truth.NO_AT: f"{given}.{family}.{domain}",
            truth.TWO_AT: f"{given}@{family}@{domain}",
            truth.BLANK: f"{given} {family}@{domain}",
            truth.TWO: f"{address}; {family}@{domain}",
            truth.ONE_LABEL: f"{given}.{family}@localhost",
            truth.TWO_DOTS: f"{given}..{family}@{domain}",
        }.get(kind, address)


class Roster:
    """Which person each row is, how it is spelt and what its verdict has to be."""

    def __init__(self, rows: int, users: int, seed: int) -> None:
        self.rows, self.users, self.seed = rows, users, seed
        self.people = People(seed)
        self.order = Shuffle(rows, seed + 10)
        shares = np.cumsum([EXISTING, DOUBLES, INVALID])
        self.bounds = (shares * rows).astype(np.uint64)
        if self.bounds[0] > users:
            raise SystemExit(
                f"generate: {rows} rows of which 70 % exist need at least {self.bounds[0]} users, not {users}"
            )
        if rows + users > 1 << PEOPLE_BITS:
            raise SystemExit(f"generate: there are names for {1 << PEOPLE_BITS} people only")

    def roles(self, rows: Numbers) -> "tuple[np.ndarray, Numbers]":
        """What each row is, and the number of the person it would be by itself: a user, or one beyond all users."""
        place = self.order(rows)
        role = np.searchsorted(self.bounds, place, side="right")
        return role, np.where(role == ROLE_EXISTING, place, place + np.uint64(self.users))

    def standing(self, rows: Numbers, role: np.ndarray) -> Numbers:
        """The row that stands for each row's person: an earlier one, neither double nor invalid, for a double."""
        first = rows.copy()
        open_ = np.flatnonzero((role == ROLE_DOUBLE) & (rows > 0))
        first[open_] = scatter(rows[open_], self.seed + 11) % rows[open_]
        while open_.size:
            found = np.isin(self.roles(first[open_])[0], (ROLE_DOUBLE, ROLE_INVALID), invert=True)
            open_ = open_[~found]
            none_before = first[open_] == 0
            first[open_[none_before]] = rows[open_[none_before]]
            open_ = open_[~none_before]
            first[open_] -= np.uint64(1)
        return first

    def kinds(self, rows: Numbers, people: Numbers) -> np.ndarray:
        """How a valid row is spelt."""
        luck = scatter(rows, self.seed + 12)
        odd = luck % np.uint64(1_000_000) < ODD_OF_A_MILLION
        kind = np.where(odd, ROW_KINDS[(luck >> np.uint64(40)) % np.uint64(len(ROW_KINDS))], truth.NOTHING_ODD)
        nature = self.people.nature(people)
        by_nature = np.where((luck >> np.uint64(63)).astype(bool), nature, truth.NOTHING_ODD)
        return np.where(nature == truth.NOTHING_ODD, kind, by_nature).astype(np.uint8)

    def block(self, start: int) -> "tuple[pa.Array, np.ndarray, np.ndarray, Numbers]":
        """Rows as CSV, with their verdicts, kinds and standing rows."""
        rows = np.arange(start, min(start + BLOCK, self.rows), dtype=np.uint64)
        role, person = self.roles(rows)
        first = self.standing(rows, role)
        double = first != rows
        first_role, first_person = self.roles(first[double])
        exists = role == ROLE_EXISTING
        exists[double] = first_role == ROLE_EXISTING
        person[double] = first_person

        kind = self.kinds(rows, person)
        first_odd = np.zeros(rows.size, bool)
        first_odd[double] = self.kinds(first[double], person[double]) != truth.NOTHING_ODD
        invalid = role == ROLE_INVALID
        luck = scatter(rows, self.seed + 13)
        kind[invalid] = truth.EMPTY + luck[invalid] % np.uint64(len(truth.KINDS) - truth.EMPTY)

        verdict = np.full(rows.size, truth.NEW, np.uint8)
        verdict[exists] = STATE_VERDICTS[self.people.state(person[exists])]
        verdict[double] = truth.DUPLICATE
        verdict[invalid] = truth.INVALID
        text = self.text(rows, person, kind, luck)

        # A new row that stands for itself is new to trim + lower case in whatever spelling. An odd spelling of somebody
        # who is there already looks new, and so does a plain one of somebody whose standing row is spelt oddly.
        plain = np.where(kind == truth.NOTHING_ODD, exists | ~first_odd, verdict == truth.NEW)
        kind[(kind == truth.NOTHING_ODD) & ~plain] = truth.DOUBLE_OF_ODD
        return text, verdict | np.where(plain, truth.PLAIN, 0).astype(np.uint8), kind, first

    def text(self, rows: Numbers, person: Numbers, kind: np.ndarray, luck: Numbers) -> pa.Array:
        """The records, each with its line end."""

        def pick(words: "tuple[str, ...]", salt: int) -> pa.Array:
            return strings(words).take(pa.array(rolls(len(words), salt)))

        def rolls(sides: int, salt: int) -> Numbers:
            return scatter(rows, self.seed + 20 + salt) % np.uint64(sides)

        def with_after(names: pa.Array, after: "tuple[str, ...]", salt: int) -> pa.Array:
            before = tuple('"' if ending else "" for ending in after)
            return join(pick(before, salt), names, pick(after, salt))

        people = self.people
        given, family, _ = people.parts(person)
        cases = CASE_OF[rolls(len(CASE_OF), 0)]
        emails = join(pick(BLANKS, 1), people.addresses(person, cases), pick(BLANKS, 2))
        by_hand = (kind != truth.NOTHING_ODD) | (people.nature(person) != truth.NOTHING_ODD)
        emails = pc.replace_with_mask(
            emails,
            pa.array(by_hand),
            strings([cell(people.spell(*who)) for who in zip(*(of[by_hand].tolist() for of in (person, kind, luck)))]),
        )
        numbers = pa.array(rows + np.uint64(1)).cast(pa.string())
        boss = rolls(self.users, 3)
        return pc.binary_join_element_wise(
            join(strings(["E"]).take(pa.array(np.zeros(rows.size, np.uint8))), pc.utf8_lpad(numbers, 8, "0")),
            with_after(people.first.take(pa.array(given)), FIRST_AFTER, 4),
            with_after(people.last.take(pa.array(family)), LAST_AFTER, 5),
            emails,
            pick(DEPARTMENTS, 6),
            pick(TITLES, 7),
            pick(OFFICES, 8),
            pick(COMPANIES, 11),
            people.addresses(boss, np.zeros_like(boss)),
            pick(tuple(f"CC-{n}" for n in range(4_100, 9_900, 7)), 9),
            pick(tuple(f"20{y:02}-{m:02}-{d:02}\n" for y in range(5, 26) for m in range(1, 13) for d in (1, 15)), 10),
            ",",
        )


def blocks(roster: Roster) -> "Iterator[tuple[pa.Array, np.ndarray, np.ndarray, Numbers]]":
    for start in range(0, roster.rows, BLOCK):
        yield roster.block(start)


def put(file: BinaryIO, records: pa.Array) -> None:
    """The characters of a string array lie side by side already."""
    text = records.buffers()[2]
    assert records.offset == 0 and text is not None
    offsets = np.frombuffer(records.buffers()[1], np.int32, len(records) + 1)
    file.write(memoryview(text)[int(offsets[0]) : int(offsets[-1])])


def write_roster(folder: Path, roster: Roster) -> None:
    with (
        (folder / "roster.csv").open("wb") as csv,
        (folder / "truth.verdict").open("wb") as verdicts,
        (folder / "truth.kind").open("wb") as kinds,
        (folder / "truth.first").open("wb") as firsts,
    ):
        csv.write((",".join(truth.COLUMNS) + "\n").encode())
        for text, verdict, kind, first in blocks(roster):
            put(csv, text)
            verdicts.write(verdict.tobytes())
            kinds.write(kind.tobytes())
            firsts.write(first.astype("<u4").tobytes())


def identifiers(people: Numbers, seed: int) -> pa.Array:
    """32 hexadecimal digits, different for different people: the first half is a bijection."""
    halves = np.stack([scatter(people, seed + 4), scatter(people, seed + 5)], axis=1).view(np.uint8)
    digits = np.frombuffer("".join(f"{byte:02x}" for byte in range(256)).encode(), "<u2")[halves]
    ends = np.arange(0, 32 * people.size + 1, 32, dtype=np.int32)
    return pa.StringArray.from_buffers(people.size, pa.py_buffer(ends), pa.py_buffer(digits.tobytes()))


def write_organisation(folder: Path, roster: Roster) -> None:
    people, order = roster.people, Shuffle(roster.users, roster.seed + 30)
    states = strings([state + "\n" for state in STATES])
    with (folder / "org.csv").open("wb") as csv:
        csv.write(b"id,email,state\n")
        for start in range(0, roster.users, BLOCK):
            who = order(np.arange(start, min(start + BLOCK, roster.users), dtype=np.uint64))
            cases = (scatter(who, roster.seed + 31) % np.uint64(20) == 0).astype(np.uint64)
            odd = people.nature(who) != truth.NOTHING_ODD
            by_hand = strings([people.spell(person, truth.NOTHING_ODD, 0) for person in who[odd].tolist()])
            emails = pc.replace_with_mask(people.addresses(who, cases), pa.array(odd), by_hand)
            state = states.take(pa.array(people.state(who)))
            put(csv, pc.binary_join_element_wise(identifiers(who, roster.seed), emails, state, ","))


def main() -> None:
    folder, rows, users, seed = Path(sys.argv[1]), *(int(argument) for argument in sys.argv[2:5])
    folder.mkdir(parents=True, exist_ok=True)
    roster = Roster(rows, users, seed)
    write_roster(folder, roster)
    write_organisation(folder, roster)


if __name__ == "__main__":
    main()
