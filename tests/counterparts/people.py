#!/usr/bin/env python3
"""Invents the users that a simulated organisation begins with.

    people.py FOLDER

FOLDER/org.csv is what `simulate --seed-csv` reads. FOLDER/truth.json is what a client has to see of it: for every user the
JSON object of the service's `User`, with `employerInfo`, which a reply shows only where it is asked for. Nothing in
here is random: two runs write the same bytes.
"""

import csv
import json
import pathlib
import sys
import uuid

N = 430
# Per twenty: both page sizes and the states are coprime enough that no page is of one state.
STATES = ["active"] * 11 + ["inactive"] * 5 + ["deleted"] * 4
NAMES = ["Ada Abel", "José Ñandú", 'Ann "Annie" O\'Neil', "Müller, Jörg", "山田 太郎", "Δήμητρα Β.", "Zoë 🦊 Fox", "عمر سعيد"]
LOCALS = ["ada.abel", "Jose.Nandu", "ann+hr", "o'neil", "jörg", "t_yamada", "x-1", "ÅSA"]
DOMAINS = ["example.com", "EMEA.example.org", "people.example"]
DEPARTMENTS = [None, "Sales, Outbound", "Claims & Care", "Ventes «Nord»"]
TITLES = ["Agent", None, "Team Lead / 2nd shift"]
KINDS = ["WORK", "WORK2", "WORK3", "WORK4", "OTHER", "OTHER"]
COLUMNS = ["id", "name", "email", "username", "state", "department", "title", "employee_id", "contacts"]


def row(n):
    """One user as the CSV has it; an absent cell is None."""
    email = f"{LOCALS[n % 8]}.{n}@{DOMAINS[n % 3]}"
    n_contacts = n % 7 if n % 5 == 0 else 0
    return {
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"counterpart {n}")),
        "name": f"{NAMES[n % 8]} {n}",
        "email": None if n % 29 == 28 else email,
        "username": f"login.{n}@example.com" if n % 13 == 5 else email,
        "state": STATES[n * 7 % 20],
        "department": DEPARTMENTS[n % 4],
        "title": TITLES[n % 3],
        "employee_id": f"{n:05}" if n % 2 else None,
        "contacts": [f"contact{k}.{n}@example.net" for k in range(n_contacts)],
    }


def user(row):
    """The same user as a reply shows it, but for its division and its chat, which the organisation gives it."""
    primary = {"address": row["email"], "mediaType": "EMAIL", "type": "PRIMARY"}
    shown = {key: row[key] for key in ("id", "name", "email", "username", "state", "department", "title") if row[key]}
    return shown | {
        "primaryContactInfo": [primary] if row["email"] else [],
        "addresses": [{"address": a, "mediaType": "EMAIL", "type": k} for a, k in zip(row["contacts"], KINDS)],
        "version": 1,
        "acdAutoAnswer": False,
        "selfUri": f"/api/v2/users/{row['id']}",
    } | ({"employerInfo": {"employeeId": row["employee_id"]}} if row["employee_id"] else {})


def main(folder):
    rows = [row(n) for n in range(N)]
    with open(folder / "org.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for one in rows:
            writer.writerow(" ".join(one[c]) if c == "contacts" else one[c] for c in COLUMNS)
    (folder / "truth.json").write_text(json.dumps([user(one) for one in rows], ensure_ascii=False), encoding="utf-8")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
