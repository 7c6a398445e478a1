#!/usr/bin/env python3
"""A second opinion on expected.csv, by exit code: 0 it is right, 1 it is not (and the rows are named).

Knows only roster.csv, org.csv and the rules in words; it shares no line with `generate.py`. Slow and plain on purpose.
"""

import csv
import io
import re
import sys
import unicodedata
from collections import Counter
from pathlib import Path

HERE = Path(__file__).resolve().parent
RANK = {"active": 0, "inactive": 1, "deleted": 2}
ATEXT = set("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-/=?^_`{|}~")
LDH = set("abcdefghijklmnopqrstuvwxyz0123456789-")
NUL = "\ue000"  # stands in for NUL, which the csv module of older Pythons refuses


class Refused(Exception):
    """The cell holds no usable address."""


# --- the key ----------------------------------------------------------------------------------------------------------

def clean(text):
    """Normal form KC, without format characters (zero-width, soft hyphen, direction marks), trimmed, in small letters."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(c for c in text if unicodedata.category(c) != "Cf")
    return unicodedata.normalize("NFKC", text.strip().lower())


def unwrap(text):
    """`Name <addr>` → `addr`, `mailto:addr` → `addr`, in either order."""
    before = None
    while text != before:
        before = text
        if text.endswith(">") and text.count("<") == 1 and text.count(">") == 1:
            text = text[text.index("<") + 1:-1].strip()
        text = text.removeprefix("mailto:").strip()
    return text


def a_label(label):
    return label if label.isascii() else "xn--" + label.encode("punycode").decode("ascii")


def letter(c):
    """Whether a directory takes `c` between the dots of a local part."""
    return c in ATEXT or (not c.isascii() and unicodedata.category(c)[0] in "LMN")


def key_of(cell):
    """The key of a cell, "" if the cell is blank; raises `Refused` for what no directory can hold."""
    text = unwrap(clean(cell))
    if not text:
        return ""
    if text.count("@") != 1:
        raise Refused("not one @")
    local, domain = text.split("@")
    if not all(local.split(".")) or not all(map(letter, local.replace(".", ""))):
        raise Refused("local part is no dot-atom")
    labels = [a_label(label) for label in domain.removesuffix(".").split(".")]
    if len(labels) < 2:
        raise Refused("single label")
    for label in labels:
        if not 1 <= len(label) <= 63 or not set(label) <= LDH or label[0] == "-" or label[-1] == "-":
            raise Refused(f"label {label}")
    if labels[-1].isdigit():
        raise Refused("last label all digits")
    key = f"{local}@{'.'.join(labels)}"
    if len(local.encode()) > 64 or len(key.encode()) > 254:
        raise Refused("too long")
    return key


# --- the files --------------------------------------------------------------------------------------------------------

def records(name):
    text = (HERE / name).read_bytes().decode("utf-8")
    assert NUL not in text and not text.startswith("\ufeff"), name
    return list(csv.reader(io.StringIO(text.replace("\0", NUL), newline=""), strict=True))


def holders_by_key(users):
    """Who holds which key, by e-mail or username, the best first."""
    holders = {}
    for user in users:
        for key in {key_of(user["email"]), key_of(user["username"])} - {""}:
            holders.setdefault(key, []).append((RANK[user["state"]], user["id"], user["state"]))
    return {key: sorted(found) for key, found in holders.items()}


def judge(roster, holders):
    """For every record: (verdict, first_row, user_id, user_state, reason class), the first valid row of a key standing."""
    header = roster[0]
    at = {name: header.index(name) for name in ("First Name", "Last Name", "Work Email")}
    stands = {}
    for number, cells in enumerate(roster[1:], 1):
        def invalid(reason):
            return "invalid", "", "", "", reason
        if len(cells) != len(header):
            yield invalid("csv.ragged")
            continue
        if any(NUL in cell for cell in cells):
            yield invalid("csv.nul")
            continue
        try:
            key = key_of(cells[at["Work Email"]])
        except Refused:
            yield invalid("email.malformed")
            continue
        if not key:
            yield invalid("email.missing")
        elif key in stands:
            yield "duplicate", str(stands[key]), "", "", ""
        elif key in holders:
            _, user_id, state = holders[key][0]
            stands[key] = number
            yield "deleted" if state == "deleted" else "present", "", user_id, state, ""
        elif not (cells[at["First Name"]] + cells[at["Last Name"]]).strip():
            yield invalid("name.missing")
        else:
            stands[key] = number
            yield "new", "", "", "", ""


# --- what must hold of the files themselves ---------------------------------------------------------------------------

def complaints(roster, users, expected):
    if len(expected) != len(roster) - 1:
        yield f"{len(expected)} expectations for {len(roster) - 1} rows"
    for column in ("id", "email", "username"):
        twice = [value for value, n in Counter(u[column].lower() for u in users).items() if n > 1 and value]
        if twice:
            yield f"org.csv: {column} is not unique: {twice}"
    raw = (HERE / "roster.csv").read_bytes()
    if not raw.endswith(b"\r\n") or re.search(rb"\r(?!\n)", raw):
        yield "roster.csv: records must end in CRLF"
    text = " ".join((HERE / name).read_text(encoding="utf-8") for name in ("roster.csv", "org.csv", "expected.csv"))
    reserved = re.compile(r"(?:^|\.)(?:example|test|example\.(?:com|org|net))$")
    for domain in set(re.findall(r"@((?:[a-z0-9-]+\.)+[a-z][a-z0-9-]*)", text.lower())):
        if not reserved.search(domain):
            yield f"a domain that is not reserved: {domain}"
    for number, got in enumerate(judge(roster, holders_by_key(users)), 1):
        want = expected[number - 1]
        said = tuple(want[c] for c in ("verdict", "first_row", "user_id", "user_state", "reason_class"))
        if want["row"] != str(number) or said != got:
            yield f"row {number}: expected.csv says {said}, the rules say {got} ({want['why'] or 'plain'})"


def as_dicts(table):
    return [dict(zip(table[0], cells, strict=True)) for cells in table[1:]]


def main():
    roster, users, expected = records("roster.csv"), as_dicts(records("org.csv")), as_dicts(records("expected.csv"))
    found = list(complaints(roster, users, expected))
    for line in found:
        print(line, file=sys.stderr)
    counts = Counter(row["verdict"] for row in expected)
    print(f"{len(expected)} rows = " + " + ".join(f"{counts[v]} {v}" for v in ("new", "present", "deleted", "duplicate", "invalid"))
          + f"; {len(users)} users; " + (f"{len(found)} complaints" if found else "agreed"))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
