"""Somebody else at work in the organisation, past the proxy.

    stranger.py URL create CSV ROW    creates a user with the key of that row (from 0) of a plan's file
    stranger.py URL delete CSV ROW    deletes the user of that row of `created.csv`
    stranger.py URL burn              takes a token, spends all calls of its window, prints it
"""

import base64
import csv
import json
import sys
from urllib import error, request


def call(url, method, path, headers, body=None):
    """Status and body."""
    asked = request.Request(url + path, body, {"Content-Type": "application/json", **headers}, method=method)
    try:
        with request.urlopen(asked, timeout=30) as reply:
            return reply.status, json.load(reply)
    except error.HTTPError as refused:
        return refused.code, json.load(refused)


def login(url):
    basic = base64.b64encode(b"demo-client:demo-secret").decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    status, reply = call(url, "POST", "/oauth/token", headers, b"grant_type=client_credentials")
    assert status == 200, reply
    return reply["access_token"]


def row(path, number):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))[int(number)]


def main():
    url, deed, *where = sys.argv[1:]
    token = login(url)
    bearer = {"Authorization": f"Bearer {token}"}
    if deed == "burn":
        while call(url, "GET", "/api/v2/organizations/me", bearer)[0] != 429:
            pass
        print(token)
        return
    if deed == "create":
        user = {"name": "Somebody Else", "email": row(*where)["_key"], "state": "active"}
        status, reply = call(url, "POST", "/api/v2/users", bearer, json.dumps(user).encode())
    else:
        status, reply = call(url, "DELETE", f"/api/v2/users/{row(*where)['_user_id']}", bearer)
    assert status == 200, reply


if __name__ == "__main__":
    main()
