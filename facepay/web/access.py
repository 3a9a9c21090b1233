"""Pages that are not for everybody: the till's and the console's open with a key.

The key comes once in the address (`?key=...`, as `facepay demo` prints it) and is exchanged for a
session cookie at once, so that it stays out of later addresses.
"""

from __future__ import annotations

from flask import redirect, request, session
from werkzeug.wrappers import Response

from facepay.web.base import Access
from facepay.web.problems import FORBIDDEN, PageError

ROLES = "roles"


def require_role(access: Access | None, role: str) -> Response | None:
    """Let a request of `role` through, or exchange its key for a session.

    Raises:
        PageError: the key is missing or wrong.
    """
    if access is None or not access.requires_key(role):
        return None
    held = session.get(ROLES, [])
    if role in held:
        return None
    key = request.args.get("key", "")
    if request.method != "GET" or not key or len(key) > 200 or not access.accepts(role, key):
        raise PageError(FORBIDDEN, "Open this page with the address that the terminal printed at its start.")
    session[ROLES] = [*held, role]
    return redirect(request.path, 303)
