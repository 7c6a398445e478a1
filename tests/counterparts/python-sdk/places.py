"""The organisation itself, its limits, its divisions; tokens and who has none."""

import json

import PureCloudPlatformClientV2 as sdk
from PureCloudPlatformClientV2.rest import ApiException

from report import expect
from org import SECRET, Org
from truth import DIVISIONS

OTHERS = ["Berlin", "São Paulo", "Berlin Süd"]


def organisation(org, _truth):
    me = org.ask(org.organization.get_organizations_me)
    expect("organizations/me", ["Simulated Organisation", "active", "/api/v2/organizations/me"],
           [me.name, me.state, me.self_uri])
    again = org.ask(org.organization.get_organizations_me)
    expect("the id stays", me.id, again.id)


def limits(org, _truth, rate_per_minute):
    namespace = org.ask(org.organization.get_organizations_limits_namespace, "platform.api")
    own = {one.key: one.value for one in namespace.entities}
    expect("limits", [rate_per_minute, rate_per_minute, 512_000],
           [own.get("client.credentials.token.rate.per.minute"), own.get("token.rate.per.minute"),
            own.get("request.bytes.max")])
    defaults = org.ask(org.organization.get_organizations_limits_namespace_defaults, "platform.api")
    usual = {one.key: one.value for one in defaults.entities}
    expect("defaults", [300, sorted(own)], [usual.get("token.rate.per.minute"), sorted(usual)])
    expect("namespaces", {"platform.api"}, {one.namespace for one in namespace.entities + defaults.entities})
    org.refused(404, "not.found", org.organization.get_organizations_limits_namespace, "no.such")


def divisions(org, truth):
    ask = org.authorization.get_authorization_divisions
    listing = org.ask(ask)
    expect("names", ["Home", *OTHERS], [one.name for one in listing.entities])
    expect("home", [True, False, False, False], [one.home_division for one in listing.entities])
    expect("links", [f"{DIVISIONS}/{one.id}" for one in listing.entities], [one.self_uri for one in listing.entities])
    expect("envelope", [25, 1, 4, 1], [listing.page_size, listing.page_number, listing.total, listing.page_count])
    page = org.ask(ask, page_size=3, page_number=2)
    expect("second page", [OTHERS[2:], 4, 2], [[one.name for one in page.entities], page.total, page.page_count])
    expect("by name", ["Berlin", "Berlin Süd"], [one.name for one in org.ask(ask, name="berlin").entities])
    home = org.ask(org.authorization.get_authorization_divisions_home)
    expect("home division", [truth.home["id"], "Home", True], [home.id, home.name, home.home_division])


def login_refused(org, status=400):
    for client, secret in (("demo-client", "wrong"), ("nobody", SECRET)):
        try:
            org.client.get_client_credentials_token(client, secret)
            expect(f"login of {client} with {secret}", status, 200)
        except ApiException as refusal:
            body = json.loads(refusal.body)
            expect("wrong secret", [status, "invalid_client"], [refusal.status, body.get("error")])
            expect("wrong secret: members", ["description", "error", "error_description"], sorted(body))
            expect("wrong secret: content type", "application/json", refusal.headers.get("Content-Type"))


def tokens(org, _truth):
    other = Org(org.client.host, login=False)
    other.refused(401, "authentication.required", other.users.get_users)
    other.client.access_token = "nonsense"
    for call in (other.users.get_users, other.organization.get_organizations_me):
        other.refused(401, "bad.credentials", call)
    login_refused(other)
    first = org.client.access_token
    other.client.get_client_credentials_token("demo-client", SECRET)
    expect("two logins give two tokens", True, other.client.access_token not in ("", first, "nonsense"))
    other.ask(other.users.get_users)


def unknown_path(org, _truth):
    """What the simulator does not have is a 404, never something made up."""
    org.refused(404, "not.found", org.users.get_users_me)
    org.refused(404, "not.found", org.users.get_user_roles, "somebody")
    org.refused(404, "not.found", sdk.GroupsApi(org.client).get_groups)
    org.refused(405, "method.not.allowed", org.organization.put_organizations_me, body=sdk.Organization())
