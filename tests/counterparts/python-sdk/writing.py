"""Creating, changing, deleting and restoring users."""

import uuid

import PureCloudPlatformClientV2 as sdk

from reading import ALL_STATES, criterion, search
from report import expect
from truth import DIVISIONS, STATES

CONFLICT = "The request conflicts with the current state of the target resource."


def model(kind, **fields):
    one = kind()
    for name, value in fields.items():
        setattr(one, name, value)
    return one


def wanted(email, **fields):
    return model(sdk.CreateUser, **({"name": "Neu Angelegt", "email": email, "state": "active"} | fields))


def contact(**fields):
    return model(sdk.Contact, **fields)


def contacts():
    return [
        contact(address="+4930123456", media_type="PHONE", type="WORK"),
        contact(address="+4930123457", media_type="PHONE", type="PRIMARY", country_code="DE", display="0301 23457"),
        contact(extension="4711", media_type="PHONE", type="WORK2"),
        contact(address="+491701234567", media_type="SMS", type="MOBILE"),
        contact(address="second@example.net", media_type="EMAIL", type="OTHER"),
    ]


def shown(org, truth, made, body, **more):
    """What a create of `body` has to be answered with; the id is the service's to choose."""
    sent = org.json(body)
    division = sent.pop("divisionId", None)
    sent.pop("password", None)
    primary = {"address": body.email, "mediaType": "EMAIL", "type": "PRIMARY"}
    given = [one for one in sent.get("addresses", []) if one.get("type") == "PRIMARY"]
    return {"state": "inactive", "addresses": []} | sent | {
        "id": made.id,
        "username": body.email,
        "primaryContactInfo": [primary, *given],
        "division": next((one for one in divisions(org) if one["id"] == division), truth.home),
        "version": 1,
        "acdAutoAnswer": False,
        "selfUri": f"/api/v2/users/{made.id}",
    } | more


def divisions(org):
    entities = org.ask(org.authorization.get_authorization_divisions).entities
    return [{"id": one.id, "name": one.name, "selfUri": f"{DIVISIONS}/{one.id}"} for one in entities]


def create(org, truth, body):
    """Creates, and compares the reply, the user read again, the search and the listing with what was sent."""
    made = org.ask(org.users.post_users, body)
    truth.note(shown(org, truth, made, body))
    truth.check(org, "the reply of a create", [made], [made.id])
    truth.check(org, "read again", [org.ask(org.users.get_user, made.id)], [made.id])
    found = search(org, [criterion("email", [body.email]), ALL_STATES])
    truth.check(org, "searched", found.results, [made.id])
    listed = org.ask(org.users.get_users, state="any", page_size=1, sort_order="DESC")
    truth.check(org, "listed", listed.entities, [made.id])
    return made


def creates(org, truth):
    other = divisions(org)[1]["id"]
    create(org, truth, wanted("full@example.com", name="Łukasz «Full» 🦊", department="Sales, North", title="Agent",
                              division_id=other, addresses=contacts(), password="Not-a-real-1"))
    create(org, truth, wanted("Bare.Case@Example.COM"))
    create(org, truth, wanted("home@example.com", division_id=truth.home["id"], state="inactive"))
    silent = model(sdk.CreateUser, name="Silent", email="silent@example.com")
    made = create(org, truth, silent)
    expect("a create without a state", "inactive", made.state)


def bad_creates(org, _truth):
    ask = org.users.post_users
    before = org.ask(org.users.get_users, state="any").total
    nowhere = wanted("nowhere@example.com", division_id=str(uuid.uuid5(uuid.NAMESPACE_URL, "nowhere")))
    org.refused(400, "bad.request", ask, nowhere)
    org.refused(400, "bad.request", ask, model(sdk.CreateUser, email="nameless@example.com"))
    org.refused(400, "bad.request", ask, model(sdk.CreateUser, name="Without Address"))
    org.refused(400, "invalid.value", ask, wanted("no-address"))
    both = contact(address="+4930123456", extension="4711", media_type="PHONE", type="WORK")
    org.refused(400, "invalid.value", ask, wanted("both@example.com", addresses=[both]))
    large = org.refused(413, "request.entity.too.large", ask, wanted("large@example.com", title="x" * 520_000))
    expect("the 413 says how many", True, large is not None and "512000" in large.message)
    expect("nobody was created", before, org.ask(org.users.get_users, state="any").total)


def conflicts(org, truth):
    """Active, inactive and deleted holders, in any case of letters, by address and by username."""
    before = org.ask(org.users.get_users, state="any").total
    for state in STATES:
        holder = truth.some(state)[0]
        renamed = truth.some(state, where=lambda user: user.get("email") != user["username"])[0]
        for email in (holder["email"], holder["email"].swapcase(), renamed["username"]):
            body = org.refused(409, "general.conflict", org.users.post_users, wanted(email))
            expect(f"a {state} holder: the words", CONFLICT, body and body.message)
            expect(f"a {state} holder: who it is stays unsaid", None, body and body.entity_id)
    expect("nobody was created", before, org.ask(org.users.get_users, state="any").total)


def change(org, truth, user, **fields):
    """One PATCH, for the version that the truth knows."""
    patched = org.ask(org.users.patch_user, user["id"], model(sdk.UpdateUser, version=user["version"], **fields))
    sent = org.json(model(sdk.UpdateUser, **fields))
    truth.note(user | sent | {"version": user["version"] + 1})
    truth.check(org, f"the reply of a PATCH of {list(sent)}", [patched], [user["id"]], "employerInfo" in sent)
    wanted_state = {"state": "deleted"} if sent.get("state") == "deleted" else {}
    again = org.ask(org.users.get_user, user["id"], expand=["employerInfo"], **wanted_state)
    truth.check(org, f"read after a PATCH of {list(sent)}", [again], [user["id"]], expanded=True)
    return truth.users[user["id"]]


def changes(org, truth):
    user = truth.some("active", where=lambda user: "department" in user)[0]
    user = change(org, truth, user, name="Umbenannt, Ü.")
    user = change(org, truth, user, department="Elsewhere", title="Other")
    user = change(org, truth, user, addresses=contacts()[:1] + contacts()[2:])
    stolen = contact(address="stolen@example.com", media_type="EMAIL", type="PRIMARY")
    org.refused(400, "bad.request", org.users.patch_user, user["id"],
                model(sdk.UpdateUser, version=user["version"], addresses=[stolen]))
    user = change(org, truth, user, state="inactive")
    user = change(org, truth, user, state="active")
    stale(org, user["id"], user["version"], 409, "general.conflict")
    ask = org.users.patch_user
    org.refused(400, "bad.request", ask, user["id"], model(sdk.UpdateUser, name="Without a version"))
    org.refused(404, "not.found", ask, "nobody", model(sdk.UpdateUser, version=1, name="Nobody"))
    gone = truth.some("deleted")[0]
    org.refused(404, "not.found", ask, gone["id"], model(sdk.UpdateUser, version=gone["version"], name="Gone"))
    truth.check(org, "nothing else happened", [org.ask(org.users.get_user, user["id"])], [user["id"]])


def stale(org, user_id, version, status, code):
    for other in (version - 1, version + 1):
        body = model(sdk.UpdateUser, version=other, title="Never")
        refusal = org.refused(status, code, org.users.patch_user, user_id, body)
        text = "Unexpected version" if status == 409 else "does not match the current version"
        expect(f"stale version, {status}: the words", True, refusal is not None and text in refusal.message)


def every_field(org, truth):
    """A PATCH with every field that the SDK can send. The simulator says at its end which it does not know."""
    user = truth.some("inactive")[0]
    body = model(sdk.UpdateUser, id=user["id"], name=user["name"], email=user["email"], username=user["username"],
                 version=user["version"], department="All", title="All", acd_auto_answer=False, preferred_name="All",
                 chat=model(sdk.Chat, jabber_id=user["id"].replace("-", "") + "@simulated.orgspan.com"),
                 primary_contact_info=[contact(address=user["email"], media_type="EMAIL", type="PRIMARY")],
                 addresses=[], images=[], profile_skills=[], locations=[], groups=[], certifications=[],
                 biography=model(sdk.Biography, biography="All"), manager=truth.ids("active")[0],
                 employer_info=model(sdk.EmployerInfo, employee_id="00099"), self_uri=user["selfUri"])
    unset = set(body.attribute_map.values()) - org.json(body).keys()
    expect("every field but the state is set", {"state"}, unset)
    patched = org.ask(org.users.patch_user, user["id"], body)
    told = {"department": "All", "title": "All", "version": user["version"] + 1, "employerInfo": {"employeeId": "00099"}}
    truth.note(user | told | {"addresses": []})
    truth.check(org, "every field", [patched], [user["id"]])


def delete_and_restore(org, truth):
    made = create(org, truth, wanted("come.back@example.com", addresses=contacts(), division_id=divisions(org)[1]["id"]))
    user = truth.users[made.id]
    expect("the reply of a delete", {}, org.ask(org.users.delete_user, made.id))
    user = user | {"state": "deleted", "version": 2}
    truth.note(user)
    truth.check(org, "deleted", [org.ask(org.users.get_user, made.id, state="deleted")], [made.id])
    org.refused(404, "not.found", org.users.get_user, made.id)
    org.refused(404, "not.found", org.users.delete_user, made.id)
    org.refused(404, "not.found", org.users.delete_user, "nobody")
    org.refused(409, "general.conflict", org.users.post_users, wanted("come.back@example.com"))
    org.refused(409, "general.conflict", org.users.patch_user, made.id, model(sdk.UpdateUser, version=1, state="active"))
    # What a restored user does not get back: its division and its extensions.
    kept = [one for one in user["addresses"] if "extension" not in one]
    user = user | {"division": truth.home, "addresses": kept}
    user = change(org, truth, user, state="active")
    change(org, truth, user, name="Wieder da", title="Returned")


def everybody(org, truth):
    """At the end, everybody once more: what was not touched is as it was."""
    for state in STATES:
        page = org.ask(org.users.get_users, state=state, page_size=500, expand=["employerInfo"])
        truth.check(org, f"everybody {state}", page.entities, truth.ids(state), expanded=True)
