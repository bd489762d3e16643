"""Drives the published library `ease-restapi` against the demonstration, whose first words are in a file.

The library is told where the gateway is, and a caller's name and key in place of the vendor's. What came of its calls
is asked of the stand-in, not of the gateway. It has habits worth a test: a token request of its own, commas as they are
in a path, `{}` as a body where none is needed, a new connection for each call.
"""

import contextlib
import io
import json
import re
import sys
import urllib.request

from ease_restapi import config, service

with open(sys.argv[1], encoding="utf-8") as file:
    said = file.read()
base, key, operators, vendor = (
    re.search(rf"^  {word} +(\S+)", said, re.MULTILINE).group(1) for word in ("base URL", "key", "operators", "stand-in")
)
config.HOST_SERVER, config.APP_ORG, config.APP_NAME = base.rsplit("/", 2)
BOOKS, OTHERS = "66016455491585", "66016455491586"


def fetch(url, body=None, token=None):
    headers = {"Content-Type": "application/json"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    request = urllib.request.Request(url, data=body and json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.read().decode()


own = {"grant_type": "client_credentials", "client_id": "demo-client", "client_secret": "demo-secret"}
path = base.replace(config.HOST_SERVER, vendor)
token = json.loads(fetch(f"{path}/token", own))["access_token"]


def group(what=""):
    """What the stand-in itself knows of the group."""
    return json.loads(fetch(f"{path}/chatgroups/{BOOKS}{what}", token=token))["data"]


def good(result):
    done, answer = result
    assert done, answer
    return answer


def check(what, holds):
    assert holds, what
    print(f"ok: ease-restapi {what}")


# It prints the token that it gets.
heard = io.StringIO()
with contextlib.redirect_stdout(heard):
    auth = service.AppClientAuth("demo", key)
    got = auth.get_token()
check("gets its caller's key as a token", got == key and token not in heard.getvalue())
names = {one["groupid"] for one in good(service.pickup_groups(auth))["data"]}
check("lists groups", BOOKS in names)
both = good(service.details_group(auth, f"{BOOKS},{OTHERS}"))["data"]
check("reads two groups with a comma", [one["id"] for one in both] == [BOOKS, OTHERS])
good(service.details_group(auth, BOOKS))
good(service.modify_group(auth, BOOKS, groupname="new name"))
check("changes a group", group()[0]["name"] == "new name")
check("reads what it has written", good(service.details_group(auth, BOOKS))["data"][0]["name"] == "new name")
good(service.user_join_group(auth, BOOKS, "erin"))
check("adds a member", {"member": "erin"} in group("/users"))
joined = {one["groupid"] for one in good(service.pickup_user_group(auth, "erin"))["data"]}
check("reads a user's groups", {BOOKS, OTHERS} <= joined)
good(service.user_kick_group(auth, BOOKS, "erin"))
check("removes a member", {"member": "erin"} not in group("/users"))
left = {one["groupid"] for one in good(service.pickup_user_group(auth, "erin"))["data"]}
check("sees that", left == joined - {BOOKS})
stranger = service.AppClientAuth("demo", key[:-1] + "x")
with contextlib.redirect_stdout(heard):
    done, answer = service.pickup_groups(stranger)
check("gets nothing with a wrong key", not done and "unauthorized" in answer)
# It ends some paths with a slash.
seen = {who for one in good(service.pickup_group_users(auth, BOOKS))["data"] for who in one.values()}
check("reads where it ends a path with a slash", "alice" in seen)
for page in ("/metrics", "/status"):
    seen = fetch(operators + page)
    check(f"leaves no secret in {page}", not any(word in seen for word in (key, token, "secret")))
