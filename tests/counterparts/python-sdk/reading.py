"""Listing, walking, searching and reading one user."""

import base64
import json
import uuid
from urllib.parse import parse_qsl, urlsplit

import PureCloudPlatformClientV2 as sdk

from report import expect
from truth import STATES

# What the published `expand` knows beside `employerInfo`, the one that the simulator answers.
EXPANSIONS = (
    "routingStatus presence integrationPresence conversationSummary outOfOffice geolocation station authorization "
    "lasttokenissued authorization.unusedRoles team workPlanBidRanks externalContactsSettings groups customAttributes "
    "profileSkills certifications locations skills languages languagePreference biography dateLastLogin dateWelcomeSent"
).split()


def pages(org, truth):
    """Every state in several page sizes, to the first empty page."""
    for state in (None, *STATES, "any"):
        for size in (None, 7, 100, 500):
            asked = {key: value for key, value in (("state", state), ("page_size", size)) if value}
            walk(org, truth, asked, truth.ids(state or "active"), size or 25)


def walk(org, truth, asked, ids, size):
    what, count = f"pages of {asked}", -(-len(ids) // size)
    users = []
    for number in range(1, count + 2):
        page = org.ask(org.users.get_users, page_number=number, **asked)
        expect(f"{what}: numbers", [size, number, len(ids), count],
               [page.page_size, page.page_number, page.total, page.page_count])
        expect(f"{what}: entries of page {number}", len(ids[(number - 1) * size : number * size]), len(page.entities))
        check_links(f"{what}: page {number}", page, asked, count)
        users += page.entities
    truth.check(org, what, users, ids)


def check_links(what, page, asked, count):
    number = page.page_number
    wanted = {
        "first_uri": 1,
        "last_uri": count,
        "self_uri": number,
        "previous_uri": number - 1 if number > 1 else None,
        "next_uri": number + 1 if number < count else None,
    }
    for link, to in wanted.items():
        uri = getattr(page, link)
        parts = urlsplit(uri or "")
        query = {"pageSize": str(page.page_size), "pageNumber": str(to)}
        query |= {"state": asked["state"]} if "state" in asked else {}
        expect(f"{what}: {link}", None if to is None else ["/api/v2/users", query],
               uri and [parts.path, dict(parse_qsl(parts.query))])


def links(org, truth):
    """Following `nextUri` alone, as it is given, comes to everybody."""
    page, users = org.ask(org.users.get_users, state="any", page_size=100, expand=["employerInfo"]), []
    while page:
        users += page.entities
        parts = urlsplit(page.next_uri or "")
        page = page.next_uri and org.client.call_api(
            parts.path, "GET", query_params=dict(parse_qsl(parts.query)), header_params={"Accept": "application/json"},
            response_type="UserEntityListing", auth_settings=["PureCloud OAuth"])
    truth.check(org, "following nextUri", users, truth.ids(), expanded=True)


def orders(org, truth):
    for word, turned in (("ASC", False), ("ascending", False), ("DESC", True), ("descending", True)):
        page = org.ask(org.users.get_users, state="any", page_size=500, sort_order=word)
        truth.check(org, f"sortOrder {word}", page.entities, truth.ids()[:: -1 if turned else 1])


def by_id(org, truth):
    ids = truth.ids()[40:140]
    page = org.ask(org.users.get_users, state="any", page_size=100, id=ids)
    truth.check(org, "a hundred ids", page.entities, ids)
    page = org.ask(org.users.get_users, page_size=100, id=ids)
    truth.check(org, "a hundred ids, active only", page.entities, [i for i in ids if i in truth.ids("active")])
    jabber_ids = [user.chat.jabber_id for user in page.entities[:3]]
    page = org.ask(org.users.get_users, jabber_id=jabber_ids)
    expect("jabberId", jabber_ids, [user.chat.jabber_id for user in page.entities])
    org.refused(400, "max.user.ids", org.users.get_users, state="any", id=truth.ids()[:101])


def bad_pages(org, _truth):
    for asked in ({"page_size": 501}, {"page_size": 0}, {"page_number": 0}, {"state": "gone"}, {"sort_order": "up"}):
        body = org.refused(400, "invalid.value", org.users.get_users, **asked)
        value, = asked.values()
        expect(f"{asked}: the message names the value", True, body is not None and f"[{value}]" in body.message)


def expansions(org, truth):
    """`employerInfo` comes where it is asked for and nowhere else; every other published word is taken."""
    some = truth.ids("active")[:50]
    for words in (["employerInfo"], ["employerInfo", *EXPANSIONS]):
        page = org.ask(org.users.get_users, page_size=50, expand=words)
        truth.check(org, f"expand {len(words)}", page.entities, some, expanded=True)
        walked = org.ask(org.users.get_users_query, page_size=50, expand=words)
        truth.check(org, f"expand {len(words)} of the cursor", walked.entities, some, expanded=True)
        one = org.ask(org.users.get_user, some[1], expand=words)
        truth.check(org, f"expand {len(words)} of one", [one], [some[1]], expanded=True)
    found = search(org, [criterion("id", some)], expand=["employerInfo"])
    truth.check(org, "expand of a search", found.results, some, expanded=True)


def cursor(org, truth):
    for state in (None, *STATES, "any"):
        for size in (7, 100, 500):
            asked = {"page_size": size} | ({"state": state} if state else {})
            ids = truth.ids(state or "active")
            truth.check(org, f"cursor {asked}", follow(org, asked), ids)
    turned = follow(org, {"page_size": 100, "state": "any", "sort_order": "DESC"})
    truth.check(org, "cursor, descending", turned, truth.ids()[::-1])
    org.refused(400, "bad.request", org.users.get_users_query, cursor="nonsense")


def follow(org, asked):
    users, at = [], {}
    while True:
        page = org.ask(org.users.get_users_query, **asked, **at)
        users += page.entities
        expect(f"cursor {asked}: results", len(page.entities), page.results)
        expect(f"cursor {asked}: nextUri goes with the cursor", page.cursor,
               dict(parse_qsl(urlsplit(page.next_uri or "").query)).get("cursor"))
        if not page.cursor:
            return users
        at = {"cursor": page.cursor}


def criterion(field, values, kind="EXACT", operator=None):
    one = sdk.UserSearchCriteria()
    one.fields, one.type, one.values = [field], kind, values
    if operator:
        one.operator = operator
    return one


def request(criteria, size=100, **more):
    body = sdk.UserSearchRequest()
    body.query, body.page_size = criteria, size
    for name, value in more.items():
        setattr(body, name, value)
    return body


def search(org, criteria, size=100, **more):
    return org.ask(org.users.post_users_search, request(criteria, size, **more))


ALL_STATES = criterion("state", list(STATES))


def searches(org, truth):
    someone = truth.some("active")[0]
    for text in (someone["email"], someone["email"].upper()):
        truth.check(org, "search by address", search(org, [criterion("email", [text])]).results, [someone["id"]])
    one = criterion("name", None)
    one.value = someone["name"]
    truth.check(org, "search by name", search(org, [one]).results, [someone["id"]])
    other = truth.some("active", where=lambda user: user.get("email") != user["username"])[0]
    found = search(org, [criterion("username", [other["username"]])])
    truth.check(org, "search by username", found.results, [other["id"]])
    for state in STATES:
        users = truth.some(state, 20)
        found = search(org, [criterion("email", [user["email"] for user in users]), criterion("state", [state])])
        truth.check(org, f"search among {state}", found.results, [user["id"] for user in users])
        expect(f"search among {state}: total", [20, 1, ["users"]], [found.total, found.page_count, found.types])


def deleted_ones(org, truth):
    """Without a criterion of state deleted users stay hidden."""
    gone = truth.some("deleted")[0]
    expect("without a state", [], search(org, [criterion("email", [gone["email"]])]).results)
    found = search(org, [criterion("email", [gone["email"]]), ALL_STATES])
    truth.check(org, "with all states", found.results, [gone["id"]])
    found = search(org, [criterion("email", ["nobody@example.com"]), ALL_STATES])
    expect("of nobody", [0, 0, []], [found.total, found.page_count, found.results])


def search_pages(org, truth):
    """By page number, and by the tokens that lead from page to page."""
    for order, step in (("ASC", 1), ("DESC", -1)):
        ids, users = truth.ids()[::step], []
        page = search(org, [ALL_STATES], 100, page_number=1, sort_order=order)
        while True:
            expect(f"search {order}: numbers", [len(ids), -(-len(ids) // 100), 100],
                   [page.total, page.page_count, page.page_size])
            users += page.results
            if not page.next_page:
                break
            page = org.ask(org.users.get_users_search, page.next_page)
        truth.check(org, f"search {order}", users, ids)
    back = org.ask(org.users.get_users_search, page.previous_page)
    truth.check(org, "the page before the last", back.results, truth.ids()[::-1][300:400])
    again = org.ask(org.users.get_users_search, page.current_page)
    expect("the current page", [one.id for one in page.results], [one.id for one in again.results])
    body = json.dumps(org.json(request([ALL_STATES], 10, page_number=5)))
    mine = org.ask(org.users.get_users_search, base64.b64encode(body.encode()).decode())
    truth.check(org, "a token of one's own", mine.results, truth.ids()[40:50])


def search_logic(org, truth):
    a, b, c = truth.some("active", 3)
    both = [criterion("email", [a["email"], b["email"]]), criterion("email", [b["email"], c["email"]])]
    truth.check(org, "AND", search(org, both).results, [b["id"]])
    both[1].operator = "NOT"
    truth.check(org, "NOT", search(org, both).results, [a["id"]])
    both[0].operator = both[1].operator = "OR"
    truth.check(org, "OR", search(org, both).results, [one["id"] for one in (a, b, c)])
    for kind in ("TERM", "TERMS"):
        truth.check(org, kind, search(org, [criterion("email", [a["email"]], kind)]).results, [a["id"]])


def bad_searches(org, truth):
    ask = org.users.post_users_search
    many = [f"nobody{n}@example.com" for n in range(101)]
    org.refused(400, "bad.request", ask, request([criterion("email", many)]))
    org.refused(400, "invalid.value", ask, request([criterion("email", ["a@example.com"])], 101))
    org.refused(400, "invalid.value", ask, request([criterion("shoeSize", ["44"])]))
    org.refused(400, "bad.request", ask, request([criterion("email", [])]))
    org.refused(400, "bad.request", org.users.get_users_search, "!")


def one_user(org, truth):
    for state in ("active", "inactive"):
        user = truth.some(state)[0]
        truth.check(org, f"one {state}", [org.ask(org.users.get_user, user["id"])], [user["id"]])
    gone = truth.some("deleted")[0]["id"]
    org.refused(404, "not.found", org.users.get_user, gone)
    truth.check(org, "one deleted", [org.ask(org.users.get_user, gone, state="deleted")], [gone])
    org.refused(404, "not.found", org.users.get_user, truth.some("active")[0]["id"], state="deleted")
    org.refused(404, "not.found", org.users.get_user, str(uuid.uuid5(uuid.NAMESPACE_URL, "nobody")))
