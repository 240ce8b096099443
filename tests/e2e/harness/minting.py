"""Keys that this Sluice could have minted, and has not."""

import base64
import hashlib
import hmac
import json
import secrets
import sqlite3
import string

ALPHABET = string.digits + string.ascii_uppercase + string.ascii_lowercase


def well_formed(control):
    """A key with a right check: what is left of one whose row is lost. No API gives the signing key away."""
    with sqlite3.connect(f"file:{control.folder}/state/sluice.db?mode=ro", uri=True) as database:
        ((body,),) = database.execute("SELECT body FROM settings").fetchall()
    settings = json.loads(body)
    token = settings["key_prefix"] + "".join(secrets.choice(ALPHABET) for _ in range(12 + 32))
    digest = hmac.new(base64.b64decode(settings["signing_key"]), token.encode(), hashlib.sha256).digest()
    return token + "".join(ALPHABET[byte % 62] for byte in digest[:8])
