"""From what a page says in schema.org terms to leads, the same for all syntaxes.

Belongs here: which properties become which contract column. Does not belong here: normalising (validation does it).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from urllib.parse import unquote

from aiqleads_pipeline.doors.scraping.nodes import MAX_NODES, Node, collapsed

Lead = dict[str, str]
_COMPANY = ("worksFor", "affiliation", "memberOf")


def leads_of(nodes: list[Node], types: Collection[str]) -> list[Lead]:
    """The leads that nodes of the given types are: people and organisations that can be reached, each once.

    A person's organisation becomes the lead's company, not another lead.
    """
    page = _Page(nodes)
    found: list[Lead] = []
    for node, organisation in page.walk():
        if not set(node.types) & set(types):
            continue
        lead = page.person(node, organisation) if "Person" in node.types else page.organisation(node)
        lead = {column: value for column, value in lead.items() if value}
        if "email" in lead or "phone" in lead:
            found.append(lead)
    return each_once(found)


def each_once(leads: list[Lead]) -> list[Lead]:
    """The leads in their order, without repetitions."""
    return list({tuple(sorted(lead.items())): lead for lead in leads}.values())


def address_text(value: str, scheme: str) -> str:
    """An address as a link has it (``mailto:jane@example.com?subject=x``) or as it is."""
    text = collapsed(value)
    if text.lower().startswith(f"{scheme}:"):
        return collapsed(unquote(text[len(scheme) + 1 :].partition("?")[0], errors="replace"))
    return text


class _Page:
    def __init__(self, nodes: list[Node]) -> None:
        self._nodes = nodes
        self._by_id: dict[str, Node] = {}
        for node in _all(nodes):
            if node.id and (node.types or node.values):
                self._by_id.setdefault(node.id, node)

    def walk(self) -> Iterator[tuple[Node, Node | None]]:
        """Every node once, with the organisation that it was found under; not the companies of people who can be
        reached."""
        people = [node for node in _all(self._nodes) if "Person" in node.types and any(self._reached(node).values())]
        companies = {id(company) for person in people for company in self._companies(person)}
        seen: set[int] = set()
        waiting: list[tuple[Node, Node | None]] = [(node, None) for node in reversed(self._nodes)]
        while waiting and len(seen) < MAX_NODES:
            node, organisation = waiting.pop()
            node = self._resolved(node)
            if id(node) in seen:
                continue
            seen.add(id(node))
            if id(node) not in companies:
                yield node, organisation
            inside = node if "name" in node.values and "Person" not in node.types else organisation
            for values in node.values.values():
                waiting += [(value, inside) for value in reversed(values) if isinstance(value, Node)]

    def person(self, node: Node, organisation: Node | None) -> Lead:
        """The lead that a person is."""
        company = next(iter(self._companies(node)), None) or organisation or Node()
        employers = [text for name in _COMPANY for text in self._texts(node, name)]
        return {
            **self._reached(node),
            "external_id": self._identifier(node),
            "full_name": self._text(node, "name"),
            "first_name": self._text(node, "givenName"),
            "last_name": self._text(node, "familyName"),
            "job_title": self._text(node, "jobTitle"),
            "linkedin_url": next((url for url in self._texts(node, "sameAs") if "linkedin.com/" in url.lower()), ""),
            "company_name": self._text(company, "name") or next(iter(employers), ""),
            "website": self._text(company, "url"),
            "industry": self._text(company, "industry"),
            "employee_count": self._quantity(company, "numberOfEmployees"),
            **(self._address(node) or self._address(company)),
        }

    def organisation(self, node: Node) -> Lead:
        """The lead that an organisation is."""
        return {
            **self._reached(node),
            "external_id": self._identifier(node),
            "company_name": self._text(node, "name") or self._text(node, "legalName"),
            "website": self._text(node, "url"),
            "industry": self._text(node, "industry"),
            "employee_count": self._quantity(node, "numberOfEmployees"),
            **self._address(node),
        }

    def _reached(self, node: Node) -> Lead:
        points = [node, *self._inner(node, "contactPoint"), *self._inner(node, "contactPoints")]
        emails = [address_text(text, "mailto") for point in points for text in self._texts(point, "email")]
        phones = [address_text(text, "tel") for point in points for text in self._texts(point, "telephone")]
        return {"email": next(iter(emails), ""), "phone": next(iter(phones), "")}

    def _address(self, node: Node) -> Lead:
        for address in self._inner(node, "address"):
            country = next(iter(self._inner(address, "addressCountry")), None)
            found = {
                "street": self._text(address, "streetAddress"),
                "city": self._text(address, "addressLocality"),
                "region": self._text(address, "addressRegion"),
                "postal_code": self._text(address, "postalCode"),
                "country": self._text(country, "name") if country else self._text(address, "addressCountry"),
            }
            if any(found.values()):
                return found
        street = self._text(node, "address")
        return {"street": street} if street else {}

    def _identifier(self, node: Node) -> str:
        inner = next(iter(self._inner(node, "identifier")), None)
        return (self._text(inner, "value") if inner else self._text(node, "identifier")) or node.id or ""

    def _quantity(self, node: Node, name: str) -> str:
        inner = next(iter(self._inner(node, name)), None)
        if inner is None:
            return self._text(node, name)
        low, high = self._text(inner, "minValue"), self._text(inner, "maxValue")
        return self._text(inner, "value") or (f"{low}-{high}" if low and high else low or high)

    def _companies(self, node: Node) -> list[Node]:
        return [inner for name in _COMPANY for inner in self._inner(node, name)]

    def _inner(self, node: Node, name: str) -> list[Node]:
        found: list[Node] = []
        for value in node.values.get(name, ()):
            inner = self._by_id.get(value) if isinstance(value, str) else self._resolved(value)
            found += [inner] if inner is not None else []
        return found

    def _texts(self, node: Node, name: str) -> list[str]:
        return [value for value in node.values.get(name, ()) if isinstance(value, str) and value not in self._by_id]

    def _text(self, node: Node, name: str) -> str:
        return next(iter(self._texts(node, name)), "")

    def _resolved(self, node: Node) -> Node:
        """A mere reference by id is the node of that id, where the page has it."""
        if node.id and not node.types and not node.values:
            return self._by_id.get(node.id, node)
        return node


def _all(nodes: list[Node]) -> Iterator[Node]:
    seen: set[int] = set()
    waiting = list(reversed(nodes))
    while waiting and len(seen) < MAX_NODES:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        yield node
        for values in node.values.values():
            waiting += [value for value in reversed(values) if isinstance(value, Node)]
