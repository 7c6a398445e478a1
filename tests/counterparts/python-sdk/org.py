"""The SDK, and a look at what it made of a reply.

Nothing of it is replaced: a reply is taken from the SDK's own `last_response`, and its models are turned back into JSON by
the SDK's own serialiser. So a field that its models do not know is in the reply and not in what comes back.
"""

import ast
import inspect
import json
import re

import PureCloudPlatformClientV2 as sdk
from PureCloudPlatformClientV2.rest import ApiException

from report import expect

SECRET = "demo-secret"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


class Org:
    """One simulated organisation, logged in to."""

    def __init__(self, url, login=True):
        sdk.configuration.host = url
        self.client = sdk.api_client.ApiClient()
        self.users = sdk.UsersApi(self.client)
        self.organization = sdk.OrganizationApi(self.client)
        self.authorization = sdk.AuthorizationApi(self.client)
        if login:
            self.client.get_client_credentials_token("demo-client", SECRET)

    def one_try(self):
        """From now on without the SDK's retries, by a keyword of its urllib3 pool: a 429 is seen as it comes."""
        client = sdk.default_http_client.DefaultHttpClient()
        client.rest_client.pool_manager.connection_pool_kw["retries"] = False
        self.client.set_http_client(client)
        return self

    def ask(self, call, *args, **kwargs):
        """What the SDK parsed of a 200, after that was compared with the reply as it came."""
        model = call(*args, **kwargs)
        response = self.client.last_response
        expect(f"{call.__name__}: status", 200, response.status)
        check_headers(call.__name__, response.getheaders())
        raw = json.loads(response.data)
        expect(f"{call.__name__}: parsed by the SDK", without_nulls(raw), self.json(model))
        check_words(call.__name__, model)
        return model

    def json(self, model):
        """A model as the JSON that the SDK would send."""
        return self.client.sanitize_for_serialization(model)

    def refused(self, status, code, call, *args, **kwargs):
        """The `ErrorBody` of a refusal, parsed by the SDK; `None` if the call was carried out."""
        try:
            call(*args, **kwargs)
        except ApiException as refusal:
            return self.error(f"{call.__name__} refused", status, code, refusal)
        expect(f"{call.__name__}: refused", status, 200)
        return None

    def error(self, what, status, code, refusal):
        check_headers(what, refusal.headers)
        raw = json.loads(refusal.body)
        body = self.client.deserialize(Reply(refusal), "ErrorBody")
        expect(f"{what}: parsed by the SDK", without_nulls(raw), self.json(body))
        expect(f"{what}: status and code", [status, status, code], [refusal.status, body.status, body.code])
        expect(f"{what}: contextId is the correlation id", refusal.headers.get("inin-correlation-id"), body.context_id)
        expect(f"{what}: has a message", True, bool(body.message))
        return body


class Reply:
    """A refusal as `deserialize` wants its replies."""

    def __init__(self, refusal):
        self.data, self.headers = refusal.body, refusal.headers

    def getheader(self, name):
        return self.headers.get(name)


def check_headers(what, headers):
    expect(f"{what}: content-type", "application/json", headers.get("Content-Type"))
    correlation = headers.get("ININ-Correlation-Id") or ""
    expect(f"{what}: correlation id {correlation!r} is a UUID", True, bool(UUID.fullmatch(correlation)))


def without_nulls(value):
    """The SDK reads a null as a field that is not there."""
    if isinstance(value, dict):
        return {key: without_nulls(one) for key, one in value.items() if one is not None}
    return [without_nulls(one) for one in value] if isinstance(value, list) else value


def check_words(what, model):
    """Every word is in the list of its field, in the case of the list (the SDK itself lets any case pass)."""
    if isinstance(model, list):
        for one in model:
            check_words(what, one)
    for attribute in getattr(model, "swagger_types", {}):
        value = getattr(model, attribute)
        words = allowed_words(type(model), attribute)
        if words and value is not None:
            expect(f"{what}: {type(model).__name__}.{attribute} {value!r} is one of {words}", True, value in words)
        check_words(what, value)


_words = {}


def allowed_words(model, attribute):
    """The list stands in the code of the setter and nowhere else."""
    if (model, attribute) not in _words:
        code = inspect.getsource(getattr(model, attribute).fset)
        found = re.search(r"allowed_values = (\[.*\])", code)
        _words[model, attribute] = ast.literal_eval(found[1]) if found else None
    return _words[model, attribute]
