"""What a provider got, in the words that scenarios ask in: one reader for each dialect.

Invariant: a reader only finds; what it does not know it leaves out, so that a check for it fails.
"""


class Sent:
    """A request's body."""

    # Where a parameter stands, if not at the top under its own name.
    PLACES = {}

    def __init__(self, body):
        self.json = body

    def parameter(self, name):
        """A parameter that most dialects have, by OpenAI's name for it; `None` if it was not sent."""
        found = self.json
        for member in self.PLACES.get(name, (name,)):
            found = found.get(member, {})
        return None if found == {} else found

    @property
    def instructions(self):
        """What the operator said, in pieces."""
        return [text for role, texts in self._said() if role in ("system", "developer") for text in texts]

    @property
    def turns(self):
        """All else: roles, and what was said in pieces."""
        return [(role, texts) for role, texts in self._said() if role not in ("system", "developer")]

    @property
    def pictures(self):
        """Pictures: media type and base64."""
        return [picture for part in self._parts() if (picture := self._picture(part))]

    def _said(self):
        return [(turn["role"], _texts(turn["content"])) for turn in self.json["messages"]]

    def _parts(self):
        contents = [turn["content"] for turn in self.json["messages"]]
        return [part for content in contents if isinstance(content, list) for part in content]

    @staticmethod
    def _picture(part):
        return _of_url(part["image_url"]["url"]) if part.get("type") == "image_url" else None


class Responses(Sent):
    """OpenAI Responses."""

    def _items(self):
        return [item for item in self.json["input"] if item.get("type", "message") == "message"]

    def _said(self):
        first = self.json.get("instructions")
        items = [(item["role"], _texts(item["content"])) for item in self._items()]
        return [("system", [first]), *items] if first else items

    def _parts(self):
        return [part for item in self._items() for part in item["content"]]

    @staticmethod
    def _picture(part):
        return _of_url(part["image_url"]) if part["type"] == "input_image" else None


class Anthropic(Sent):
    """Anthropic Messages."""

    def _said(self):
        return [("system", _texts(self.json.get("system", []))), *super()._said()]

    @staticmethod
    def _picture(part):
        source = part.get("source", {})
        return (source["media_type"], source["data"]) if source.get("type") == "base64" else None


class Gemini(Sent):
    """Gemini."""

    PLACES = {
        name: ("generationConfig", member)
        for name, member in {
            "temperature": "temperature", "top_p": "topP", "top_k": "topK", "seed": "seed",
            "presence_penalty": "presencePenalty",
        }.items()
    }  # fmt: skip

    def _said(self):
        first = _texts(self.json.get("systemInstruction", {}).get("parts", []))
        return [("system", first), *((turn["role"], _texts(turn["parts"])) for turn in self.json["contents"])]

    def _parts(self):
        return [part for turn in self.json["contents"] for part in turn["parts"]]

    @staticmethod
    def _picture(part):
        data = part.get("inlineData")
        return data and (data["mimeType"], data["data"])


class Bedrock(Anthropic):
    """Bedrock Converse."""

    PLACES = {
        "temperature": ("inferenceConfig", "temperature"),
        "top_p": ("inferenceConfig", "topP"),
        "top_k": ("additionalModelRequestFields", "top_k"),
    }

    @staticmethod
    def _picture(part):
        image = part.get("image")
        return image and (f"image/{image['format']}", image["source"]["bytes"])


READERS = {"openai": Sent, "responses": Responses, "anthropic": Anthropic, "gemini": Gemini, "bedrock": Bedrock}


def _texts(content):
    return [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]


def _of_url(url):
    kind, _, data = url.removeprefix("data:").partition(";base64,")
    return (kind, data) if data else None
