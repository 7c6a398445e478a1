"""What a way did: counted from the simulator's record, and judged by the truth and by who is in the organisation at the end.

What a way says of itself is used for one thing: whether it says the truth (`README.md` defines every column).
"""

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import truth

CREATED, LEFT_OUT = "created", "left out"
CREATE = ("POST", "/api/v2/users")


class Allowed(NamedTuple):
    """What the organisation lets one token do."""

    calls: int
    seconds: float


class Traffic(NamedTuple):
    """What the record holds; calls are those under `/api/`, logging in is none."""

    seconds: float
    """From the first call to the last answer."""
    calls: int
    conflicts: int
    throttled: int

    def share(self, allowed: Allowed) -> float:
        """Calls that were let through, of those that would have been."""
        return (self.calls - self.throttled) / (allowed.calls * self.seconds / allowed.seconds)


class User(NamedTuple):
    """A user as the organisation has it at the end."""

    id: str
    email: str


class Why(NamedTuple):
    what: str
    said: str
    """By the way itself, of this row."""


class Judged(NamedTuple):
    """Rows by number, each with what is wrong about it."""

    created: int
    """People who are there now because of the run, under their address."""
    lost: "dict[int, Why]"
    wrong: "dict[int, Why]"


def exchanges(record: Path) -> "list[dict]":
    """The exchanges of a `simulate --record` file so far."""
    with record.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    return [line for line in lines if line.get("ev") == "exchange"]


def status(exchange: dict) -> int:
    """0 where the reply was lost."""
    return (exchange["reply"] or {"status": 0})["status"]


def creates(all_of_them: "list[dict]") -> "list[dict]":
    return [one for one in all_of_them if (one["request"]["method"], one["request"]["path"]) == CREATE]


def traffic(all_of_them: "list[dict]") -> Traffic:
    calls = [one for one in all_of_them if one["request"]["path"].startswith("/api/")]
    conflicts = sum(status(one) == 409 for one in creates(calls))
    throttled = sum(status(one) == 429 for one in calls)
    return Traffic((calls[-1]["ms"] - calls[0]["ms"]) / 1000, len(calls), conflicts, throttled)


def said_by_recipe(path: Path) -> "dict[int, str]":
    with path.open(encoding="utf-8", newline="") as file:
        return {int(line["row"]): line["said"] for line in csv.DictReader(file)}


def said_by_plan(folder: Path) -> "dict[int, str]":
    """`created.csv` holds whom the run created, the adopted ones among them."""
    with (folder / "created.csv").open(encoding="utf-8", newline="") as file:
        return {int(line["_row"]): CREATED for line in csv.DictReader(file)}


def judge(rows: "list[truth.Row]", before: "set[str]", users: "Iterable[User]", said: "dict[int, str]") -> Judged:
    """Every created user is traced to a row, then every row is looked at once."""
    created = [user for user in users if user.id not in before]
    of_person: "dict[int, list[truth.Row]]" = {}
    for row in rows:
        of_person.setdefault(row.person, []).append(row)
    made = trace(rows, of_person, created, said)
    judged = Judged(0, {}, {})
    n_good = 0
    for same in of_person.values():
        mine = [(row, user) for row in same for user in made.get(row.number, [])]
        stands = next((row for row in same if row.verdict == truth.NEW), None)
        good = next((one for one in mine if stands and is_at(stands, one[1])), None)
        n_good += good is not None
        if stands and not mine:
            judged.lost[stands.number] = Why("not there at the end", said.get(stands.number, LEFT_OUT))
        for row in same:
            its_own = said.get(row.number, LEFT_OUT)
            what = fault(row, [one is good for one in mine if one[0] is row], its_own)
            if what:
                judged.wrong[row.number] = Why(what, its_own)
    return judged._replace(created=n_good)


def is_at(row: truth.Row, user: User) -> bool:
    """Whether the user has the person's address; the service does not tell cases apart."""
    return user.email.lower() == row.address


def fault(row: truth.Row, made: "list[bool]", said: str) -> str:
    """What is wrong about one row: whom it created (`made`, and whether rightly), or what was said of it."""
    if not all(made):
        return "created under an address that nobody has" if row.verdict == truth.NEW else "created a second time"
    if made and said != CREATED:
        return "created, and said not to be"
    if not made and said == CREATED:
        return "said to be created, and not there"
    return ""


def trace(
    rows: "list[truth.Row]", of_person: "dict[int, list[truth.Row]]", created: "list[User]", said: "dict[int, str]"
) -> "dict[int, list[User]]":
    """From which row each created user is: one with that very address, rather one that is said to be created."""
    person: "dict[str, int]" = {}
    for row in rows:
        for form in forms(row):
            if person.setdefault(form, row.person) != row.person:
                raise ValueError(f"row {row.number}: {form!a} is somebody else's")
    made: "dict[int, list[User]]" = {}

    def rank(row: truth.Row, user: User) -> tuple:
        exact = user.email in (row.spelt.strip(), row.spelt.strip().lower())
        return (row.number in made, not exact, said.get(row.number) != CREATED, row.number)

    for user in created:
        if user.email.lower() not in person:
            raise ValueError(f"{user.email!a} was created and is in no row")
        ranked = sorted((rank(row, user), row.number) for row in of_person[person[user.email.lower()]])
        made.setdefault(ranked[0][1], []).append(user)
    return made


def forms(row: truth.Row) -> "set[str]":
    """The addresses under which a way may have created somebody from this row, in lower case."""
    return {form for form in (row.spelt.strip().lower(), row.address) if form}
