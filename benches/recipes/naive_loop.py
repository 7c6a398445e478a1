"""Loop over the CSV, create, print what went wrong.

The habit of the official tutorial (`CreateUser()`, name, email, `post_users`) put into a loop, as nearly every "bulk-create
users from a CSV" answer of the forums has it. The SDK itself waits out a 429 that has `Retry-After`, and sends again when a
connection breaks: that is its default, for creates too.
"""

import csv
import sys

import PureCloudPlatformClientV2
from PureCloudPlatformClientV2.rest import ApiException

from loopback import Says, users_api


def main(roster_path: str, says_path: str, url: str) -> None:
    users, says = users_api(url), Says(says_path)
    with open(roster_path, encoding="utf-8-sig", newline="") as file:
        for number, row in enumerate(csv.DictReader(file), start=1):
            body = PureCloudPlatformClientV2.CreateUser()
            body.name = f"{row['First Name']} {row['Last Name']}".strip()
            body.email = row["Work Email"].strip()
            body.department = row["Department"]
            body.title = row["Job Title"]
            body.state = "active"
            try:
                user = users.post_users(body)
                print(f"created {user.email}: {user.id}")
                says(number, "created")
            except ApiException as e:
                if e.status == 409:
                    print(f"{body.email} already exists")
                    says(number, "exists")
                else:
                    print(f"Exception when calling UsersApi->post_users for {body.email}: {e.status} {e.reason}")
                    says(number, "failed")


if __name__ == "__main__":
    main(*sys.argv[1:4])
