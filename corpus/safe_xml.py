"""XML as a stream of elements and text, for what others wrote: no tree, no entities. Readers of XML build on it."""

from __future__ import annotations

from collections.abc import Callable
from xml.parsers import expat


class XmlError(Exception):
    """XML that is not read: `cause` "broken" or "entities", `what` the document is or does, for a person."""

    def __init__(self, cause: str, what: str) -> None:
        super().__init__(what)
        self.cause, self.what = cause, what


def parse_xml(
    data: bytes,
    start: Callable[[str, dict[str, str]], None],
    end: Callable[[str], None] | None = None,
    text: Callable[[str], None] | None = None,
) -> None:
    """Tell each element and text of an XML document; names without their namespaces. No tree, so no depth can hurt.

    Raises:
        XmlError: it is not well-formed, or declares entities (which could grow without end).
    """
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True

    def entity(*_: object) -> None:
        raise XmlError("entities", "declares entities, which may grow without end")

    def plain(name: str) -> str:
        return name.rpartition(" ")[2]

    parser.EntityDeclHandler = entity
    parser.StartElementHandler = lambda name, given: start(plain(name), {plain(k): v for k, v in given.items()})
    parser.EndElementHandler = None if end is None else lambda name: end(plain(name))
    parser.CharacterDataHandler = text
    try:
        parser.Parse(data, True)
    except (expat.ExpatError, ValueError, LookupError) as error:  # LookupError: an encoding that nobody knows
        raise XmlError("broken", "is no well-formed XML") from error
