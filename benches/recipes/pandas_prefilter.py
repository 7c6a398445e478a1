"""List the users, leave out with pandas whoever is there, create the rest.

    pandas_prefilter.py ROSTER SAYS URL [STATE]

The habit of public scripts: `get_users` page by page at 100 until there is no next page, without a word about states (the
default is active users), then `strip().lower()` on both sides, `isin`, `drop_duplicates`. With STATE `any`, what somebody
does who has read that the listing hides inactive and deleted users. The creates are those of `naive_loop.py`.
"""

import sys

import pandas as pd
import PureCloudPlatformClientV2
from PureCloudPlatformClientV2.rest import ApiException

from loopback import Says, users_api


def all_users(users: PureCloudPlatformClientV2.UsersApi, **state: str) -> list:
    found = []
    page_number = 1
    while True:
        page = users.get_users(page_size=100, page_number=page_number, **state)
        found.extend(page.entities)
        if not page.next_uri:
            return found
        page_number += 1


def main(roster_path: str, says_path: str, url: str, *state: str) -> None:
    users, says = users_api(url), Says(says_path)
    there = all_users(users, **({"state": state[0]} if state else {}))
    known = pd.Series([user.email for user in there], dtype=str).str.strip().str.lower()
    roster = pd.read_csv(roster_path, dtype=str).dropna(subset=["Work Email"])
    roster["email"] = roster["Work Email"].str.strip().str.lower()
    new = roster[~roster["email"].isin(known)].drop_duplicates("email")
    print(f"{len(there)} users, {len(roster)} rows, {len(new)} to create")
    for index, row in new.fillna("").iterrows():
        body = PureCloudPlatformClientV2.CreateUser()
        body.name = f"{row['First Name']} {row['Last Name']}".strip()
        body.email = row["email"]
        body.department = row["Department"]
        body.title = row["Job Title"]
        body.state = "active"
        try:
            user = users.post_users(body)
            print(f"created {user.email}: {user.id}")
            says(index + 1, "created")
        except ApiException as e:
            print(f"{row['email']} failed: {e.status} {e.reason}")
            says(index + 1, "exists" if e.status == 409 else "failed")


if __name__ == "__main__":
    main(*sys.argv[1:])
