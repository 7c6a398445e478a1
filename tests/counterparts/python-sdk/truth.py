"""What the organisation holds: the seed, and what was done to it since."""

import json
import pathlib

from report import expect

STATES = ("active", "inactive", "deleted")
DIVISIONS = "/api/v2/authorization/divisions"


class Truth:
    """Users by id, as JSON, in the order of creation."""

    def __init__(self, folder, home):
        users = json.loads((pathlib.Path(folder) / "truth.json").read_text(encoding="utf-8"))
        self.home = {"id": home.id, "name": home.name, "selfUri": f"{DIVISIONS}/{home.id}"}
        self.users = {user["id"]: user | {"division": self.home} for user in users}

    def ids(self, state="any"):
        return [i for i, user in self.users.items() if state in ("any", user["state"])]

    def some(self, state, n=1, where=lambda user: "email" in user):
        """The first `n` users of a state that have an address and what else is asked for."""
        found = [user for user in self.users.values() if user["state"] == state and where(user)]
        assert len(found) >= n, f"the seed has too few {state} users"
        return found[:n]

    def note(self, user):
        """Takes over what a change made of a user, or a new one."""
        self.users[user["id"]] = user

    def check(self, org, what, shown, wanted_ids, expanded=False):
        """That `shown` (the SDK's models) are these users in this order, field by field."""
        shown = [org.json(user) for user in shown]
        expect(f"{what}: how many", len(wanted_ids), len(shown))
        for user in shown:
            jabber_id = user.pop("chat", {}).get("jabberId", "")
            local = user["id"].replace("-", "") + "@"
            expect(f"{what}: chat.jabberId {jabber_id!r} is of its user", True, jabber_id.startswith(local))
        wanted = [self.users[i] for i in wanted_ids]
        if not expanded:
            wanted = [{key: value for key, value in user.items() if key != "employerInfo"} for user in wanted]
        expect(what, wanted, shown)
