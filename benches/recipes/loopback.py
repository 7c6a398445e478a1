"""What every recipe needs and nobody's habit is: the SDK pointed at the simulator, and a file of what a recipe says it did.

    RECIPE.py ROSTER SAYS URL

The credentials come from the environment, as in the official tutorials. `URL` stands where those have the host of a region;
the SDK makes the address of the login host from it, which on loopback is the same.
"""

import csv
import os
import time

import PureCloudPlatformClientV2


def users_api(url: str) -> PureCloudPlatformClientV2.UsersApi:
    PureCloudPlatformClientV2.configuration.host = url
    client = PureCloudPlatformClientV2.api_client.ApiClient()
    client.get_client_credentials_token(
        os.environ["GENESYSCLOUD_OAUTHCLIENT_ID"], os.environ["GENESYSCLOUD_OAUTHCLIENT_SECRET"]
    )
    return PureCloudPlatformClientV2.UsersApi(client)


def pause(seconds: float) -> None:
    """A sleep as long as the recipe says, on the clock of the bench (README: how time is scaled)."""
    time.sleep(seconds / float(os.environ["TIMES_FASTER"]))


class Says:
    """One line a row: `created`, `exists` or `failed`, as the recipe's own output would have it. No line: left out."""

    def __init__(self, path: str) -> None:
        self.file = open(path, "w", encoding="utf-8", newline="")
        self.lines = csv.writer(self.file)
        self.lines.writerow(["row", "said"])

    def __call__(self, row: int, said: str) -> None:
        self.lines.writerow([row, said])
        self.file.flush()
