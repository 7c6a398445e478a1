"""The rate limit, and the other side of what the service may do."""

import json

from PureCloudPlatformClientV2.rest import ApiException

from places import login_refused
from reading import ALL_STATES, criterion, request, search
from report import expect
from org import SECRET, Org
from writing import stale, wanted


def window(org):
    headers = org.client.last_response.getheaders()
    return [int(headers[f"inin-ratelimit-{name}"]) for name in ("count", "allowed", "reset")]


def rate_headers(org, _truth, rate, window_s):
    """The count goes up by one with every call of a token, and starts again with the next window."""
    last = None
    for _ in range(6):
        org.ask(org.organization.get_organizations_me)
        count, allowed, reset = window(org)
        expect("allowed", rate, allowed)
        expect(f"reset {reset} lies in the window", True, 0 < reset <= window_s)
        expect(f"count {count} after {last}", True, last is None or count in (last + 1, 1))
        last = count


def throttled(url, rate, window_s):
    """A 429 as it comes, without the SDK's own retries."""
    org = Org(url).one_try()
    n_passed = 0
    while n_passed <= 20 * rate:
        try:
            org.users.get_users()
            n_passed += 1
        except ApiException as refusal:
            told_throttled(org, refusal, window_s)
            break
    expect(f"a 429 came after {n_passed} calls", True, rate <= n_passed <= 20 * rate)


def told_throttled(org, refusal, window_s):
    body = org.error("429", 429, "too.many.requests.retry.after", refusal)
    wait_s = refusal.headers.get("Retry-After", "")
    expect(f"Retry-After {wait_s!r} is a number of seconds", True, wait_s.isdecimal() and 1 <= int(wait_s) <= window_s)
    expect("the words", f"Rate limit exceeded the maximum. Retry the request in [{wait_s}] seconds", body.message)


def waits_and_goes_on(url, rate):
    """The SDK as it is obeys Retry-After and sends again, POST included: no error, one user, one 429 a window."""
    org = Org(url)
    statuses = []
    for n in range(2 * rate + 1):
        email = f"waited{n}@example.com"
        made = org.ask(org.users.post_users, wanted(email))
        history = org.client.last_response.urllib3_response.retries.history
        statuses += [one.status for one in history]
        expect(f"{email}: once throttled, the next try is let through", True, len(history) <= 1)
        expect(f"{email} was made", email, made.email)
    expect("every try sent again was a 429", {429}, set(statuses))
    found = search(org, [criterion("email", [f"waited{n}@example.com" for n in range(2 * rate + 1)]), ALL_STATES])
    expect("each was made once", 2 * rate + 1, found.total)


def other_side(url, truth):
    """No cursor, addresses of deleted users free, search that knows case and no usernames, capped pages, no headers."""
    org = Org(url)
    org.refused(404, "not.found", org.users.get_users_query)
    someone = truth.some("active")[0]
    expect("upper case", 0, search(org, [criterion("email", [someone["email"].upper()])]).total)
    expect("own case", 1, search(org, [criterion("email", [someone["email"]])]).total)
    org.refused(400, "invalid.value", org.users.post_users_search, request([criterion("username", ["a"])]))
    four = [f"nobody{n}@example.com" for n in range(4)]
    org.refused(400, "bad.request", org.users.post_users_search, request([criterion("email", four)]))
    search(org, [criterion("email", four[:3])])
    org.ask(org.users.get_users, state="any", page_size=50, page_number=4)
    org.refused(400, "bad.request", org.users.get_users, state="any", page_size=50, page_number=5)
    names = [name for name in org.client.last_response.getheaders() if "ratelimit" in name.lower()]
    expect("rate headers", [], names)
    gone = truth.some("deleted")[0]
    expect("a deleted user's address is free", gone["email"], org.ask(org.users.post_users, wanted(gone["email"])).email)


def lagging(url):
    """With an index that never catches up: a create is there by its id, and holds its address, at once."""
    org = Org(url)
    made = org.ask(org.users.post_users, wanted("early@example.com"))
    expect("by id", made.id, org.ask(org.users.get_user, made.id).id)
    expect("listed", 0, org.ask(org.users.get_users, state="any").total)
    expect("searched", 0, search(org, [criterion("email", ["early@example.com"]), ALL_STATES]).total)
    org.refused(409, "general.conflict", org.users.post_users, wanted("early@example.com"))


def statuses(url):
    """Refusals that may come with another status, and a cursor that is forbidden."""
    org = Org(url)
    made = org.ask(org.users.post_users, wanted("stale@example.com"))
    stale(org, made.id, made.version, 400, "bad.request")
    org.refused(403, "missing.permissions", org.users.get_users_query)
    login_refused(Org(url, login=False), status=401)
    org.ask(org.users.delete_user, made.id)
    try:
        org.users.post_users(wanted("stale@example.com"))
        expect("a deleted holder", 400, 200)
    except ApiException as refusal:
        expect("a deleted holder", 400, refusal.status)


def expired(url):
    """A token that has expired, and a login that comes too soon."""
    org = Org(url)
    org.refused(401, "credentials.expired", org.users.get_users)
    try:
        org.client.get_client_credentials_token("demo-client", SECRET)
        expect("a second login", 400, 200)
    except ApiException as refusal:
        body = json.loads(refusal.body)
        expect("a second login", [400, "invalid_request"], [refusal.status, body.get("error")])
        expect("the words", True, body.get("description", "").startswith("rate limit exceeded;"))
