"""The least there is to a client, for what a check does past the one that it checks.

    client.py URL      logs in and prints the token
"""

import base64
import json
import sys
from urllib import error, request

JSON = "application/json"


def call(url, method, path, token, body=None):
    """Status and body."""
    sent = None if body is None else json.dumps(body).encode()
    return ask(request.Request(url + path, sent, {"Authorization": f"Bearer {token}", "Content-Type": JSON}, method=method))


def login(url):
    basic = base64.b64encode(b"demo-client:demo-secret").decode()
    headers = {"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"}
    status, reply = ask(request.Request(url + "/oauth/token", b"grant_type=client_credentials", headers))
    assert status == 200, reply
    return reply["access_token"]


def ask(asked):
    try:
        with request.urlopen(asked, timeout=30) as reply:
            return reply.status, json.load(reply)
    except error.HTTPError as refused:
        return refused.code, json.load(refused)


if __name__ == "__main__":
    print(login(sys.argv[1]))
