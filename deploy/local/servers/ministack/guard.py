"""Refuses requests of web pages, and those with another access key, in front of ministack.

A page names itself in Origin or Sec-Fetch-Site, sends text without an Authorization, or has reached this machine by a name of
its own (DNS rebinding). SLUICE_ACCESS_KEY is the one access key that is let in; without it each is, and tests have an account each.
"""

import hmac
import json
import os
import re

from ministack.app import app as ministack

HOST = re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?", re.IGNORECASE)
CREDENTIAL = re.compile(r"AWS4-HMAC-SHA256\s+Credential=([^/,\s]+)/")
KEY = os.environ.get("SLUICE_ACCESS_KEY", "")


def fault(headers):
    """Returns why a request is refused, or None."""
    authorization = ""
    text = False
    for name, value in headers:
        name, value = name.decode("latin-1").lower(), value.decode("latin-1").strip()
        if name == "host" and not HOST.fullmatch(value):
            return "the Host must be 127.0.0.1 or localhost"
        if name == "origin" or name == "sec-fetch-site" and value != "none":
            return "web pages are refused"
        if name == "content-type":
            text = text or value.lower().startswith("text/")
        if name == "authorization":
            authorization = value
    if text and not authorization:
        return "a request with text must be signed"
    if KEY:
        credential = CREDENTIAL.match(authorization)
        if not credential or not hmac.compare_digest(credential[1].encode(), KEY.encode()):
            return "the request must be signed with this stack's access key, which is in state.json of its run directory"
    return None


async def app(scope, receive, send):
    reason = None if scope["type"] == "lifespan" else fault(scope["headers"])
    if reason is None:
        await ministack(scope, receive, send)
    elif scope["type"] == "http":
        body = json.dumps({"__type": "AccessDeniedException", "message": reason}).encode()
        await send({"type": "http.response.start", "status": 403, "headers": [
            (b"content-type", b"application/json"), (b"x-amzn-errortype", b"AccessDeniedException"),
            (b"content-length", str(len(body)).encode())]})
        await send({"type": "http.response.body", "body": body})
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": reason})
