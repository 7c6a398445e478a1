"""Somebody else at work in the organisation, past the proxy.

    stranger.py URL create CSV ROW    creates a user with the key of that row (from 0) of a plan's file
    stranger.py URL delete CSV ROW    deletes the user of that row of `created.csv`
    stranger.py URL burn              takes a token, spends all calls of its window, prints it
"""

import csv
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))
from client import call, login


def row(path, number):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[int(number)]


def main():
    url, deed, *where = sys.argv[1:]
    token = login(url)
    if deed == "burn":
        while call(url, "GET", "/api/v2/organizations/me", token)[0] != 429:
            pass
        print(token)
        return
    if deed == "create":
        user = {"name": "Somebody Else", "email": row(*where)["_key"], "state": "active"}
        status, reply = call(url, "POST", "/api/v2/users", token, user)
    else:
        status, reply = call(url, "DELETE", f"/api/v2/users/{row(*where)['_user_id']}", token)
    assert status == 200, reply


if __name__ == "__main__":
    main()
