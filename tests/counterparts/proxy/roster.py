"""Rows of the sample roster with what it lacks: a work phone and a division, so that every field of a create is sent.

    roster.py data/roster.csv N > roster.csv
"""

import csv
import itertools
import sys

DIVISIONS = ("Sales", "Service", "")
PHONES = ("+49 30 1234{:04}", "+1 317 555 {:04}", "call the desk", "")


def main():
    source, n_rows = sys.argv[1:]
    with open(source, encoding="utf-8", newline="") as file:
        head, *rows = itertools.islice(csv.reader(file), int(n_rows) + 1)
    out = csv.writer(sys.stdout)
    out.writerow([*head, "Work Phone", "Division"])
    for number, row in enumerate(rows):
        cells = [PHONES[number % len(PHONES)].format(number), DIVISIONS[number % len(DIVISIONS)]]
        # A broken record of the sample stays broken.
        out.writerow([*row, *cells] if len(row) == len(head) else row)


if __name__ == "__main__":
    main()
