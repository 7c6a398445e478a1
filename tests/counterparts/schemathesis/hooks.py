"""What no schema can say: which page of which size is beyond what can be paged, and how many ids a text with commas is.

Beyond 10,000 inactive users a listing answers 400 (terraform-provider-genesyscloud @f955430e); that a search does so, too,
is a guess of the simulator's. Requests of that kind are not sent: whether they are good depends on two numbers at once.
"""

import schemathesis

WINDOW = 10_000
PAGE_SIZE = 25
# Error code max.user.ids.
IDS_MAX = 100


@schemathesis.hook
def filter_case(context, case):
    label = case.operation.label
    if label == "GET /api/v2/users":
        asked = case.query or {}
        return n_ids(asked) <= IDS_MAX and (asked.get("state") != "inactive" or within(asked))
    if label == "POST /api/v2/users/search":
        return not isinstance(case.body, dict) or within(case.body)
    return True


def n_ids(asked):
    given = asked.get("id") or []
    return sum(str(text).count(",") + 1 for text in (given if isinstance(given, list) else [given]))


def within(asked):
    numbers = [asked.get("pageSize"), asked.get("pageNumber")]
    size, number = (default if given is None else given for given, default in zip(numbers, (PAGE_SIZE, 1)))
    # Whatever is no number is to be refused as that.
    return not (isinstance(size, int) and isinstance(number, int)) or size * number <= WINDOW
