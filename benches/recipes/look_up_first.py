"""Look every address up, create whoever is not found, sleep 100 ms between rows.

The habit of public scripts around this SDK: a search with one EXACT criterion and nothing about states, `None` if there is
no result, then `post_users`; and a `time.sleep` between the rows against the rate limit, as forums advise.
"""

import csv
import sys

import PureCloudPlatformClientV2
from PureCloudPlatformClientV2.rest import ApiException

from loopback import Says, pause, users_api


def find(users: PureCloudPlatformClientV2.UsersApi, email: str):
    criterion = PureCloudPlatformClientV2.UserSearchCriteria()
    criterion.fields = ["email"]
    criterion.type = "EXACT"
    criterion.value = email
    request = PureCloudPlatformClientV2.UserSearchRequest()
    request.query = [criterion]
    found = users.post_users_search(request)
    return found.results[0] if found.results else None


def create(users: PureCloudPlatformClientV2.UsersApi, email: str, row: "dict[str, str]"):
    body = PureCloudPlatformClientV2.CreateUser()
    body.name = f"{row['First Name']} {row['Last Name']}".strip()
    body.email = email
    body.department = row["Department"]
    body.title = row["Job Title"]
    body.state = "active"
    return users.post_users(body)


def main(roster_path: str, says_path: str, url: str) -> None:
    users, says = users_api(url), Says(says_path)
    with open(roster_path, encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            email = row["Work Email"].strip().lower()
            try:
                if find(users, email) is None:
                    user = create(users, email, row)
                    print(f"created {user.email}: {user.id}")
                    says(number, "created")
                else:
                    print(f"{email} already exists")
                    says(number, "exists")
            except ApiException as e:
                print(f"{email} failed: {e.status} {e.reason}")
                says(number, "exists" if e.status == 409 else "failed")
            pause(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:4])
