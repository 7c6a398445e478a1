"""Drives simulators with the SDK: `drive.py FOLDER`, which holds truth.json; their URLs are in the environment."""

import os
import sys

import places
import reading
import switches
import writing
from report import close, section
from org import Org
from truth import Truth

RATE_MANY = 1_000_000
RATE_FEW, WINDOW_FEW_S = 3, 4


def main(folder):
    org = Org(os.environ["SIMULATED"])
    truth = Truth(folder, org.ask(org.authorization.get_authorization_divisions_home))
    for body in (
        places.organisation, places.divisions, places.tokens, places.unknown_path,
        reading.pages, reading.links, reading.orders, reading.by_id, reading.bad_pages, reading.expansions,
        reading.cursor, reading.searches, reading.deleted_ones, reading.search_pages, reading.search_logic,
        reading.bad_searches, reading.one_user,
        writing.creates, writing.bad_creates, writing.conflicts, writing.changes, writing.every_field,
        writing.delete_and_restore, writing.everybody,
    ):
        section(body.__name__.replace("_", " "), body, org, truth)
    section("limits", places.limits, org, truth, RATE_MANY)
    section("rate headers", switches.rate_headers, org, truth, RATE_MANY, 60)
    few = os.environ["SIMULATED_FEW"]
    section("throttled", switches.throttled, few, RATE_FEW, WINDOW_FEW_S)
    section("waits and goes on", switches.waits_and_goes_on, few, RATE_FEW)
    section("other side", switches.other_side, os.environ["SIMULATED_OTHER"], Truth(folder, Org(
        os.environ["SIMULATED_OTHER"]).authorization.get_authorization_divisions_home()))
    section("lagging", switches.lagging, os.environ["SIMULATED_LAGGING"])
    section("statuses", switches.statuses, os.environ["SIMULATED_STATUSES"])
    section("expired", switches.expired, os.environ["SIMULATED_TOKENS"])
    return close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
