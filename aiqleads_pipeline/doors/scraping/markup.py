"""Microdata and RDFa (Lite, with `about`, `rel` and `datetime`) as pages carry them in their markup."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from aiqleads_pipeline.doors.scraping.nodes import MAX_DEPTH, MAX_NODES, Node, Room, schema_term

_URL_ATTRIBUTE = {
    "a": "href", "area": "href", "link": "href", "img": "src", "audio": "src", "embed": "src", "iframe": "src",
    "source": "src", "track": "src", "video": "src", "object": "data",
}  # fmt: skip
_MAX_ELEMENT_DEPTH = 400
_MAX_STEPS = 500_000  # elements looked at; items that refer to each other could ask for far more


def microdata_nodes(tree: LexborHTMLParser, base: str, room: Room) -> list[Node]:
    """The top items of a page: those that are no other item's property."""
    reader = _Microdata(tree, base, room)
    return [reader.item(element, 0) for element in tree.css("[itemscope]:not([itemprop])")[:MAX_NODES]]


def rdfa_nodes(tree: LexborHTMLParser, base: str, room: Room) -> list[Node]:
    """The resources of a page that no other one refers to by nesting."""
    reader = _Rdfa(base, room)
    if tree.root is not None and tree.css_first("[vocab], [typeof], [prefix]") is not None:
        reader.walk(tree.root, _Context(), 0)
    return reader.top


class _Microdata:
    def __init__(self, tree: LexborHTMLParser, base: str, room: Room) -> None:
        self._room, self._base, self._count, self._steps_left = room, base, 0, _MAX_STEPS
        referred = tree.css("[itemref]")
        self._by_id = {element.attributes.get("id"): element for element in tree.css("[id]")} if referred else {}

    def item(self, element: LexborNode, depth: int) -> Node:
        given = element.attributes
        node = Node(
            types=[term for name in (given.get("itemtype") or "").split() if (term := schema_term(name))],
            room=self._room,
        )
        if given.get("itemid"):
            node.id = _joined(self._base, given["itemid"] or "")
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_NODES:
            return node
        seen = {element.mem_id}
        waiting = [*self._referred(given.get("itemref") or ""), *reversed(list(element.iter()))]
        while waiting and self._steps_left > 0:
            self._steps_left -= 1
            child = waiting.pop()
            if child.mem_id in seen:
                continue
            seen.add(child.mem_id)
            names, is_item = (child.attributes.get("itemprop") or "").split(), "itemscope" in child.attributes
            if names:
                value = self.item(child, depth + 1) if is_item else self._value(child)
                for name in names:
                    node.add(schema_term(name) or name, value)
            if not is_item:
                waiting += reversed(list(child.iter()))
        return node

    def _referred(self, itemref: str) -> list[LexborNode]:
        return [self._by_id[name] for name in itemref.split()[:20] if name in self._by_id]

    def _value(self, element: LexborNode) -> str:
        given, tag = element.attributes, element.tag or ""
        if tag == "meta" or given.get("content"):
            return given.get("content") or ""
        if tag in _URL_ATTRIBUTE:
            return _joined(self._base, given.get(_URL_ATTRIBUTE[tag]) or "") or ""
        if tag in ("data", "meter"):
            return given.get("value") or ""
        if tag == "time" and given.get("datetime"):
            return given["datetime"] or ""
        return element.text(deep=True)


@dataclass(frozen=True)
class _Context:
    vocab: str = ""
    prefixes: dict[str, str] = field(default_factory=lambda: {"schema": "https://schema.org/"})
    subject: Node | None = None
    hanging: tuple[str, ...] = ()  # a `rel` that waits for its object among the children


class _Rdfa:
    def __init__(self, base: str, room: Room) -> None:
        self._base, self._room = base, room
        self._by_id: dict[str, Node] = {}
        self._count = 0
        self.top: list[Node] = []

    def walk(self, element: LexborNode, context: _Context, depth: int) -> None:
        given = element.attributes
        if given:
            context = self._declared(given, context)
            context = self._stated(element, given, context)
        if depth < _MAX_ELEMENT_DEPTH and self._count < MAX_NODES:
            for child in element.iter():
                self.walk(child, context, depth + 1)

    def _declared(self, given: dict[str, str | None], context: _Context) -> _Context:
        if "vocab" in given:
            context = replace(context, vocab=(given["vocab"] or "").strip())
        if given.get("prefix"):
            words = (given["prefix"] or "").split()
            pairs = {name.removesuffix(":"): iri for name, iri in zip(words[::2], words[1::2], strict=False)}
            context = replace(context, prefixes={**context.prefixes, **pairs})
        return context

    def _stated(self, element: LexborNode, given: dict[str, str | None], context: _Context) -> _Context:
        """What an element says, and the context its children speak in."""
        types = self._terms(given.get("typeof"), context)
        names = self._terms(given.get("property"), context)
        relations = self._terms(given.get("rel"), context)
        place = next((given[key] for key in ("resource", "href", "src") if given.get(key)), None)
        subject = context.subject
        if given.get("about"):
            subject = self._resource(given["about"], [])
            context = replace(context, subject=subject)
        if "typeof" in given:
            return self._typed(given, types, [*names, *relations, *context.hanging], context)
        if names and subject is not None:
            value = self._value(element, given, place)
            for name in names:
                subject.add(name, value)
        if relations and subject is not None and not names:
            if place is None:
                return replace(context, hanging=tuple(relations))
            for name in relations:
                subject.add(name, self._resource(given["resource"], []) if given.get("resource") else self._url(place))
        if given.get("resource") and not names and not relations:
            return replace(context, subject=self._resource(given["resource"], []), hanging=())
        return context

    def _typed(self, given: dict[str, str | None], types: list[str], names: list[str], context: _Context) -> _Context:
        """A new resource with a type: the value of the properties on it, or one of the page's own."""
        named = given.get("resource") or (given.get("about") if not names else None)
        if named is None and names:
            named = given.get("href") or given.get("src")
        node = self._resource(named, types)
        for name in names if context.subject is not None else ():
            context.subject.add(name, node)  # type: ignore[union-attr]
        if not names or context.subject is None:
            self.top.append(node)
        return replace(context, subject=node, hanging=())

    def _resource(self, reference: str | None, types: list[str]) -> Node:
        self._count += 1
        url = self._url(reference) if reference and not reference.startswith(("_:", "[_:")) else None
        node = self._by_id.setdefault(url, Node(id=url, room=self._room)) if url else Node(room=self._room)
        node.types += [name for name in types if name not in node.types]
        return node

    def _value(self, element: LexborNode, given: dict[str, str | None], place: str | None) -> str:
        if given.get("content") is not None:
            return given["content"] or ""
        if place is not None:
            return self._url(place)
        if given.get("datetime"):
            return given["datetime"] or ""
        return element.text(deep=True)

    def _terms(self, text: str | None, context: _Context) -> list[str]:
        found = []
        for name in (text or "").split():
            prefix, colon, local = name.partition(":")
            if colon and prefix in context.prefixes:
                term = schema_term(context.prefixes[prefix] + local)
            else:
                term = schema_term(name if colon else context.vocab.rstrip("/") + "/" + name)
            if term:
                found.append(term)
        return found

    def _url(self, reference: str) -> str:
        return _joined(self._base, reference) or ""


def _joined(base: str, reference: str) -> str | None:
    try:
        return urljoin(base, reference.strip())
    except ValueError:
        return None
