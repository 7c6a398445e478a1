#!/usr/bin/env python3
"""Write the sample data: roster.csv, org.csv and expected.csv, the same bytes every time.

The expected verdicts are not computed, they are *decided*: each function below writes rows of one kind and knows what must
become of them, because it has put the other side (a user of the org, an earlier row) there itself. `check.py` is the second
opinion and shares no line with this file. `people.py` invents the people, `oddities.py` lists the odd addresses.

Everybody is invented. Domains are reserved for documentation and tests (RFC 2606).
"""

import hashlib
import sys
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.dont_write_bytecode = True  # the folder holds data, not caches

from oddities import DRESSES, MALFORMED, SPELLINGS, UNUSUAL, decorate_case, wide
from people import DEPARTMENTS, OFFICES, PEOPLE, TITLES, chance, latin, named, pick, shuffled

HERE = Path(__file__).resolve().parent
HEADER = ["Employee ID", "First Name", "Last Name", "Work Email", "Personal Email", "Department", "Job Title", "Office",
          "Start Date", "Manager Email"]
N_ROWS = 2000            # data rows of the roster; plain new rows fill what the odd ones leave
N_PRESENT = 1150         # of these N_PRESENT_INACTIVE are held by an inactive user
N_PRESENT_INACTIVE = 60
N_DELETED = 60
N_USERS = {"active": 1275, "inactive": 150, "deleted": 75}


# --- the two sides ----------------------------------------------------------------------------------------------------

@dataclass
class User:
    id: str
    name: str
    email: str
    username: str
    state: str
    department: str
    title: str


@dataclass
class Row:
    cells: list
    verdict: str
    user: User = None      # the holder, of a present or deleted row
    reason: str = ""       # of an invalid row
    why: str = ""
    kind: str = "plain"
    first: "Row" = None    # the row that stands, of a duplicate
    number: int = 0


@dataclass
class World:
    users: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    sequences: list = field(default_factory=list)  # rows that must keep their order when the file is shuffled
    managers: list = field(default_factory=list)

    def user(self, person, state="active", email=None, username=None):
        """A user of the org. Her department and title are now and then out of date, as in life."""
        email = person.address if email is None else email
        digest = hashlib.sha256(f"user {len(self.users)}".encode()).digest()
        user = User(str(uuid.UUID(bytes=digest[:16], version=4)), f"{person.first} {person.last}", email,
                    email if username is None else username, state,
                    pick(DEPARTMENTS) if chance(0.12) else person.department, pick(TITLES) if chance(0.15) else person.title)
        self.users.append(user)
        return user

    def row(self, person, verdict, address=None, **facts):
        """A row of the roster with the verdict it must get. Cells named in `facts` replace the person's own."""
        own = {"employee_id": person.employee_id, "first": person.first, "last": person.last,
               "address": person.address if address is None else address, "personal": person.personal,
               "department": person.department, "title": person.title, "office": person.office, "start": person.start,
               "manager": pick(self.managers)}
        cells = facts.pop("cells", {})
        facts["first"] = facts.pop("stands", None)
        row = Row(list((own | cells).values()), verdict, **facts)
        self.rows.append(row)
        return row

    def count(self, verdict, state=None):
        return sum(1 for r in self.rows if r.verdict == verdict and (state is None or r.user.state == state))


# --- the odd rows -----------------------------------------------------------------------------------------------------

def spelled_otherwise(world):
    """Present and new rows whose address is dressed up or spelled in other letters than the org's."""
    for n, (kind, why, dress) in enumerate(DRESSES):
        person = next(PEOPLE)
        world.row(person, "present", dress(person, person.address), user=world.user(person, "inactive" if n % 9 == 4 else "active"),
                  why=why, kind=kind)
        if n % 3 == 0:
            stranger = next(PEOPLE)
            world.row(stranger, "new", dress(stranger, stranger.address), why=why, kind=kind)
    for kind, why, first, last, in_org, in_roster in SPELLINGS:
        person = named(first, last, in_org)
        world.row(person, "present", in_roster, user=world.user(person), why=why, kind=kind)


def unusual_but_usable(world):
    """New rows at the limits, and new rows that resemble somebody they are not."""
    world.user(named("Paula", "North", "paula.north@example.com"))
    world.user(named("Uwe", "Gross", "uwe.gross@example.com"))
    for kind, why, first, last, address in UNUSUAL:
        world.row(named(first, last, address), "new", why=why, kind=kind)


def held_by_username(world):
    """The service signs people in by username, so a username holds a key as an e-mail does."""
    for n in range(6):
        person, state = next(PEOPLE), "inactive" if n % 3 == 2 else "active"
        user = world.user(person, state, email=f"{latin(person.last)}.{person.employee_id}@example.net", username=person.address)
        world.row(person, "present", user=user, why="username of a user whose e-mail is another", kind="username")
        if n == 0:
            world.row(person, "present", user.email, user=user, why="e-mail of a user whose username is also in this file",
                      kind="username")
    for n in range(5):
        person = next(PEOPLE)
        user = world.user(person, "inactive" if n == 1 else "active", email="", username=person.address)
        if n < 3:
            world.row(person, "present", user=user, why="username of a user without an e-mail", kind="username")


def held_twice(world):
    """One key, two holders: one by e-mail, one by username. The best is named: active, inactive, deleted, then smallest id."""
    for by_email, by_username, why in [
        ("active", "inactive", "e-mail of an active user, username of an inactive one"),
        ("inactive", "active", "e-mail of an inactive user, username of an active one"),
        ("deleted", "inactive", "e-mail of a deleted user, username of an inactive one"),
        ("deleted", "active", "e-mail of a deleted user, username of an active one"),
        ("inactive", "inactive", "two inactive holders: the smaller id is named"),
        ("deleted", "deleted", "two deleted holders: the smaller id is named"),
    ]:
        person, other = next(PEOPLE), next(PEOPLE)
        holders = [world.user(person, by_email, username=f"{latin(person.last)}.{person.employee_id}@example.net"),
                   world.user(other, by_username, username=person.address)]
        best = min(holders, key=lambda u: (list(N_USERS).index(u.state), u.id))
        world.row(person, "deleted" if best.state == "deleted" else "present", user=best, why=why, kind="two holders")


def deleted_holders(world):
    """Deleted users keep their addresses: the service would refuse a create."""
    person = next(PEOPLE)
    world.row(person, "deleted", user=world.user(person, "deleted", email="", username=person.address),
              why="username of a deleted user", kind="username")
    for n in (0, 1, 7, 18):
        kind, why, dress = DRESSES[n]
        person = next(PEOPLE)
        world.row(person, "deleted", dress(person, person.address), user=world.user(person, "deleted"), why=why, kind=kind)


def without_name(world):
    """A row without a name cannot be created; whoever exists already needs none."""
    def blank(first="", last=""):
        return {"first": first, "last": last}
    for cells, why in [(blank(), "no name"), (blank("  ", " "), "name of blanks only"), (blank("\u00a0"), "name of a no-break space")]:
        world.row(next(PEOPLE), "invalid", reason="name.missing", why=why, kind="name", cells=cells)
    for cells, why in [(blank("Marisol"), "first name only"), (blank("", "Tamsin"), "last name only")]:
        world.row(next(PEOPLE), "new", why=why, kind="name", cells=cells)
    for state in ("active", "inactive", "deleted"):
        person = next(PEOPLE)
        world.row(person, "deleted" if state == "deleted" else "present", user=world.user(person, state),
                  why=f"no name, but the address belongs to a user ({state})", kind="name", cells=blank())
    for n_nameless in (1, 2):
        person = next(PEOPLE)
        sequence = [world.row(person, "invalid", reason="name.missing", why="no name; a later row with this address has one",
                              kind="name", cells=blank()) for _ in range(n_nameless)]
        sequence.append(world.row(person, "new", why="the earlier row with this address is invalid", kind="name"))
        world.sequences.append(sequence)
    for user_state, why in [(None, "no name, and a double of an earlier row"), ("active", "double of a nameless row that is present")]:
        person = next(PEOPLE)
        if user_state is None:
            stands = world.row(person, "new")
        else:
            stands = world.row(person, "present", user=world.user(person, user_state), cells=blank(), kind="name",
                               why="no name, but the address belongs to a user (active)")
        again = world.row(person, "duplicate", stands=stands, why=why, kind="name", cells=blank() if user_state is None else {})
        world.sequences.append([stands, again])


def without_address(world):
    """No address, or none that a directory can hold. The personal and the manager's address are no substitute."""
    for address, why in [("", "no work address"), ("", "no work address"), ("", "no work address"), ("   ", "blanks for an address"),
                         ("\u00a0", "no-break space for an address"), ("\u200b", "zero-width space for an address")]:
        person = next(PEOPLE)
        person.personal = person.personal or person.address.split("@")[0] + "@mail.example"
        world.row(person, "invalid", address, reason="email.missing", why=why, kind="no address")
    for why, spoil in MALFORMED:
        person = next(PEOPLE)
        world.row(person, "invalid", spoil(person.address), reason="email.malformed", why=why, kind="malformed")


def broken_records(world):
    """Too few cells, too many, a NUL byte: invalid whatever the address says, and no claim to the key."""
    def ragged(person, why, change):
        row = world.row(person, "invalid", reason="csv.ragged", why=why, kind="broken record")
        row.cells = change(row.cells)
        return row

    ragged(next(PEOPLE), "record too short: ends after the job title", lambda c: c[:7])
    ragged(next(PEOPLE), "record too long: the comma in the office was not quoted", lambda c: c[:7] + ["Berlin", "Mitte"] + c[8:])
    ragged(next(PEOPLE), "record too long: one empty cell too many", lambda c: c + [""])
    known = next(PEOPLE)
    world.user(known)
    ragged(known, "record too short, though its address belongs to a user", lambda c: c[:-1])
    person = next(PEOPLE)
    short = ragged(person, "record too short; a later row with this address is whole", lambda c: c[:5])
    world.sequences.append([short, world.row(person, "new", why="the earlier row with this address is invalid", kind="broken record")])
    world.row(next(PEOPLE), "invalid", reason="csv.nul", why="NUL byte in the job title", kind="broken record",
              cells={"title": "Case\0Handler"})


def doubles(world):
    """Several rows with one key. The first valid one stands, whatever becomes of it; the others name it."""
    def base(verdict, person):
        return world.row(person, verdict, user=None if verdict == "new" else world.user(person, "active" if verdict == "present" else "deleted"))

    def again(verdict, *dresses):
        person = next(PEOPLE)
        stands = base(verdict, person)
        sequence = [stands]
        for why, dress in dresses:
            moved = {"title": pick(TITLES), "office": pick(OFFICES)} if dress else {}
            copy = world.row(person, "duplicate", dress(person, person.address) if dress else None, stands=stands, why=why, kind="double", cells=moved)
            copy.cells[9] = stands.cells[9]
            sequence.append(copy)
        world.sequences.append(sequence)

    same = ("the same record again", None)
    case = ("double by letter case", lambda p, a: decorate_case(a))
    full_width = ("double by full-width letters", lambda p, a: wide(a))
    for verdict, n in (("new", 8), ("present", 7), ("deleted", 2)):
        for _ in range(n):
            again(verdict, same)
    for verdict in ("new", "new", "new", "present", "present", "present"):
        again(verdict, case)
    again("new", full_width)
    again("present", full_width)
    for n in (0, 1, 7, 11, 18, 20, 24):  # blanks, no-break space, zero-width space, left-to-right mark, mailto, name, full stop
        kind, why, dress = DRESSES[n]
        again("present" if n in (7, 20) else "new", (f"double by dress: {why}", dress))
    for verdict in ("new", "present", "deleted"):
        again(verdict, ("second of three, by letter case", case[1]), ("third of three, by full-width letters", full_width[1]))
    again("new", ("second of four", None), ("third of four, by blanks", DRESSES[0][2]), ("fourth of four, by letter case", case[1]))
    person = named("Jana", "Seiten", "jana.seiten@bücher.example")
    stands = world.row(person, "new", why="domain in Unicode", kind="domain")
    world.sequences.append([stands, world.row(person, "duplicate", "jana.seiten@xn--bcher-kva.example", stands=stands,
                                              why="double by A-label", kind="double")])


def odd_cells(world):
    """Cells beside the key that upset readers of CSV. The verdict does not care."""
    for title, why in [
        ('=HYPERLINK("http://intranet.example/p/17","Org chart")', "formula in the job title"),
        ("+1 202-555-0142 (desk)", "job title starts with a plus sign"),
        ("- to be confirmed -", "job title starts with a hyphen"),
        ("@night-shift", "job title starts with an @"),
        ('"Voice of the Customer" Lead', "doubled quotes in the job title"),
        ('Lead, "Tier 2", Europe', "commas and doubled quotes in the job title"),
        ('"', "job title is one quote"),
        ("Agent\u2028Weekend", "line separator U+2028 in the job title (no line break in CSV)"),
        ("Agent\n\nsee contract, page 2", "empty line inside the job title"),
        ("0012", "digits with leading zeros as job title"),
        ("👩🏽‍💻 Chat Agent", "emoji in the job title"),
        ("Agent " * 60, "very long job title"),
    ]:
        person = next(PEOPLE)
        in_org = chance(0.5)
        world.row(person, "present" if in_org else "new", user=world.user(person) if in_org else None, why=why, kind="odd cell",
                  cells={"title": title})
    for n in range(24):
        person = next(PEOPLE)
        in_org = n % 2 == 0
        office = f"{pick(OFFICES)}\n{pick(range(1, 91))} Harbour Street, Floor {n % 7}" + ("\nc/o Facilities" if n % 5 == 0 else "")
        world.row(person, "present" if in_org else "new", user=world.user(person) if in_org else None,
                  why="line break in the office", kind="line break", cells={"office": office})


# --- the plain rows and the files -------------------------------------------------------------------------------------

def plain_rows(world):
    """Everybody else, so that the counts at the top of this file come true."""
    def typed(person):
        shouts = chance(0.06)
        return {"address": decorate_case(person.address) if shouts else None, "why": "letter case" if shouts else "",
                "kind": "letter case" if shouts else "plain"}

    def held(verdict, state, n):
        for _ in range(n):
            person = next(PEOPLE)
            email = decorate_case(person.address) if chance(0.05) else person.address
            world.row(person, verdict, user=world.user(person, state, email=email), **typed(person))

    held("present", "inactive", N_PRESENT_INACTIVE - world.count("present", "inactive"))
    held("present", "active", N_PRESENT - world.count("present"))
    held("deleted", "deleted", N_DELETED - world.count("deleted"))
    for _ in range(N_ROWS - 1 - len(world.rows)):  # the last record is the report's footer
        person = next(PEOPLE)
        world.row(person, "new", **typed(person))
    for state, n in N_USERS.items():  # users whom HR no longer lists
        for _ in range(n - sum(u.state == state for u in world.users)):
            world.user(next(PEOPLE), state)


def in_file_order(world):
    """Shuffle, then give each sequence the places its rows drew, in its own order. The footer stays last."""
    rows = shuffled(world.rows)
    place = {id(row): n for n, row in enumerate(rows)}
    for sequence in world.sequences:
        for n, row in zip(sorted(place[id(row)] for row in sequence), sequence):
            rows[n] = row
    rows.append(Row(["End of report"], "invalid", reason="csv.ragged", why="footer of the export: a record of one cell", kind="broken record"))
    for n, row in enumerate(rows):
        row.number = n + 1
    return rows


def csv_bytes(records, line_end):
    def cell(text):
        quote = any(c in text for c in ',"\n\r\t') or text != text.strip()
        return '"' + text.replace('"', '""') + '"' if quote else text
    return "".join(",".join(map(cell, record)) + line_end for record in records).encode()


def expected(row):
    return [str(row.number), row.verdict, str(row.first.number) if row.first else "", row.user.id if row.user else "",
            row.user.state if row.user else "", row.reason, row.why]


def main():
    world = World()
    for _ in range(60):
        person = next(PEOPLE)
        world.managers.append(person.address)
        world.user(person)
    for write in (spelled_otherwise, unusual_but_usable, held_by_username, held_twice, deleted_holders, without_name,
                  without_address, broken_records, doubles, odd_cells, plain_rows):
        write(world)
    rows = in_file_order(world)
    users = sorted(world.users, key=lambda u: u.id)
    # Excel ends records with CRLF and breaks lines inside a cell with LF.
    (HERE / "roster.csv").write_bytes(csv_bytes([HEADER] + [row.cells for row in rows], "\r\n"))
    (HERE / "org.csv").write_bytes(csv_bytes([list(User.__annotations__)] + [list(vars(u).values()) for u in users], "\n"))
    (HERE / "expected.csv").write_bytes(csv_bytes(
        [["row", "verdict", "first_row", "user_id", "user_state", "reason_class", "why"]] + [expected(row) for row in rows], "\n"))
    for title, counts in (("verdict", Counter(r.verdict for r in rows)), ("reason", Counter(r.reason for r in rows if r.reason)),
                          ("kind", Counter(r.kind for r in rows)), ("state", Counter(u.state for u in users))):
        print(f"{title}: " + ", ".join(f"{name} {n}" for name, n in sorted(counts.items())))


if __name__ == "__main__":
    main()
