"""An invented roster and the organisation it meets, with every verdict and everything that can be wrong with a row.

    people.py DIR ROWS

writes hr.csv and org.csv. The same bytes every time: what is drawn is drawn from a seed.
"""

import csv
import random
import sys
from pathlib import Path

FIRST = "Ada Grace Edsger Barbara Alan Radia Ken Frances Donald Margaret Niklaus Sophie Linus Hedy Tim Joan".split()
LAST = "Lovelace Hopper Dijkstra Liskov Turing Perlman Thompson Allen Knuth Hamilton Wirth Wilson Clarke Lamarr".split()
DOMAINS = [f"{name}.example" for name in "acme globex initech umbrella hooli stark wayne tyrell cyberdyne wonka".split()]
DOMAINS += [f"branch{n:02}.acme.example" for n in range(40)]
# Marks that a page must not obey, in names and in addresses that cannot be used.
HOSTILE = [
    '</script><img src=x onerror="document.title=1">',
    "\u202eevil\u2066 turned \u202a",
    "x" * 10_000,
    "\U0001f469\U0001f3fd\u200d\U0001f52c \u05d3\u05df \u0639\u0645\u0631",
    '"><svg onload=alert(1)>',
    "<!--", "]]>", "&lt;b&gt;", "'; DROP TABLE", "`${alert(1)}`", "javascript:alert(1)",
]
UNUSABLE = ["", "no-at.example", "two@@acme.example", "a@acme.example; b@acme.example", "a b@acme.example",
            "@acme.example", "a@", "a@acme", "a..b@acme.example", "a@-acme.example", "a@acme..example",
            "l" * 65 + "@acme.example", "a@10.0.0.1", '"quoted"@acme.example', "a@acme_x.example"] + HOSTILE


def person(chance, n):
    first, last = chance.choice(FIRST), chance.choice(LAST)
    weights = [1 / (1 + at) for at in range(len(DOMAINS))]
    domain = chance.choices(DOMAINS, weights)[0]
    return f"{first} {last}", f"{first}.{last}.{n}@{domain}".lower()


def main():
    out, n_rows = Path(sys.argv[1]), int(sys.argv[2])
    chance = random.Random(7)
    rows, org, seen = [], [("Somebody", "somebody@acme.example", "active", "Support")], []
    # Of many rows most are there already: more than a thousand of every kind are left, and a run takes a minute or two.
    n_new, n_present = (4, 76) if n_rows >= 10_000 else (60, 20)
    for n in range(1, n_rows + 1):
        name, email = person(chance, n)
        title = chance.choice(["Agent", "Supervisor", "Trainer"])
        kind = chance.choices(["new", "present", "deleted", "duplicate", "invalid", "long", "suspect", "hostile"],
                              [n_new, n_present, 3, 4, 4, 2.5, 3.5, 3])[0]
        if kind == "present":
            org.append((name, email, chance.choice(["active", "inactive"]), chance.choice([title, "Other"])))
            email = chance.choice([email, email.upper(), f" {email}"])
        elif kind == "deleted":
            org.append((name, email, "deleted", title))
        elif kind == "duplicate" and seen:
            name, email = chance.choice(seen)
            title = "Somebody else's"
        elif kind == "invalid":
            email = chance.choice(UNUSABLE)
        elif kind == "long":
            title = "very " * 60 + "long"
        elif kind == "suspect":
            # Somebody at a sister domain, or with a note behind a plus sign.
            local, domain = email.split("@")
            org.append((name, f"{local}@{domain}", "active", title))
            email = chance.choice([f"{local}+hr@{domain}", f"{local}@{domain.replace('.example', '.test')}"])
        elif kind == "hostile":
            name = chance.choice(HOSTILE)
        seen.append((name, email))
        rows.append((name, email, title))
    with open(out / "hr.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("Full Name", "Email", "Title"), *rows])
    if n_rows:
        # A record that is none, a NUL byte, and a quote where none can be: no writer of CSV makes them.
        with open(out / "hr.csv", "a", encoding="utf-8", newline="") as file:
            file.write('Too,many@acme.example,cells,here\r\nNul,nul\x00@acme.example,x\r\nSt"ray,stray@acme.example,x\r\n')
    with open(out / "org.csv", "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("name", "email", "state", "title"), *org])


main()
