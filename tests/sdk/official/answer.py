"""What a client returned or raised, in one form for all clients."""


class Answer:
    """What a call returned: the data as it was on the wire, and what else the client shows."""

    def __init__(self, data, request_id=None, headers=None, events=()):
        self.data = data
        # The request id as the client itself found it.
        self.request_id = request_id
        # Only of a raw reply.
        self.headers = {name.lower(): value for name, value in (headers or {}).items()}
        # The kinds of events that a stream helper fired, in order.
        self.events = list(events)

    def __repr__(self):
        return f"Answer({self.data!r}, request_id={self.request_id!r}, headers={self.headers!r})"


class ClientError(Exception):
    """What a call raised."""

    def __init__(self, facts, received=()):
        super().__init__(f"{facts['kinds'][0]}: {facts['message']} {facts}")
        # The class and what it derives from, nearest first.
        self.kinds = facts["kinds"]
        self.status = facts.get("status")
        self.code = facts.get("code")
        self.type = facts.get("type")
        self.param = facts.get("param")
        self.message = facts["message"]
        self.request_id = facts.get("request_id")
        self.headers = {name.lower(): value for name, value in (facts.get("headers") or {}).items()}
        # What a stream had yielded before.
        self.received = list(received)

    @property
    def kind(self):
        """The class's name."""
        return self.kinds[0]


def described(error):
    """The facts of a Python client's exception."""
    kinds = [each.__name__ for each in type(error).__mro__]
    response = getattr(error, "response", None)
    return {
        "kinds": kinds,
        "status": getattr(error, "status_code", None),
        "code": getattr(error, "code", None) or getattr(error, "error_code", None),
        "type": getattr(error, "type", None),
        "param": getattr(error, "param", None),
        "message": str(error),
        "request_id": getattr(error, "request_id", None),
        "headers": dict(response.headers) if response is not None else {},
    }


def plain(value):
    """A client's object as the JSON it came from.

    The clients do not check what they parse. Here it is checked: a member that their types require must be there, and
    have the type.
    """
    document = value.to_dict(mode="json")
    type(value).model_validate(value.to_dict(mode="python"))
    return document
