"""An authenticator application."""

import base64
import hashlib
import hmac
import struct


def totp(secret: str, at: float) -> str:
    """RFC 6238, as an application computes it."""
    key = base64.b32decode(secret.replace(" ", ""))
    digest = hmac.new(key, struct.pack(">Q", int(at) // 30), hashlib.sha1).digest()
    start = digest[-1] & 15
    number = struct.unpack(">I", digest[start : start + 4])[0] & 0x7FFFFFFF
    return f"{number % 1_000_000:06}"
