"""Google Places, Text Search (New): where an address is (https://developers.google.com/maps/documentation/places).

Their terms limit how long coordinates may be kept (30 days): set ``keep_days`` so.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from resources.enrichment import Answers, KeyKind, LookupUnavailable, facts
from resources.enrichment.calling import HttpProvider, dig

MOST_KEYS = 1
_MASK = "places.location,places.addressComponents"
_COMPONENTS = {
    "city": ("locality", "longText"),
    "county": ("administrative_area_level_2", "longText"),
    "region": ("administrative_area_level_1", "longText"),
    "country": ("country", "shortText"),
}


class GooglePlaces(HttpProvider):
    """Coordinates and parts of an address. Of several places the first counts, less surely. Options: ``language``;
    ``time_zone``: ask for it too."""

    OPTIONS = frozenset({"language", "time_zone"})
    BASE_URL = "https://places.googleapis.com"
    key_kind = KeyKind.PLACE
    own_fields = frozenset({*_COMPONENTS, "latitude_deg", "longitude_deg", "time_zone"})

    def _mask(self) -> str:
        return f"{_MASK},places.timeZone" if self._setup.options.get("time_zone") else _MASK

    def lookup(self, keys: Sequence[str], *, timeout_seconds: float) -> Answers:
        """See ``EnrichmentProvider``."""
        (key,) = keys
        content = self._json(
            self._call(
                "POST",
                self._url("/v1/places:searchText"),
                timeout_seconds,
                headers={"X-Goog-Api-Key": self._secret(), "X-Goog-FieldMask": self._mask()},
                body={"textQuery": key, "pageSize": 2, "languageCode": self._setup.options.get("language", "en")},
            )
        )
        if not isinstance(content, dict):
            raise LookupUnavailable(f"{self.name} answered without places", "bad_answer")
        places = content.get("places") or []  # without any the key is missing
        if not isinstance(places, list) or not places:
            return Answers()
        place = places[0]
        given: dict[str, Any] = {
            "latitude_deg": dig(place, "location", "latitude"),
            "longitude_deg": dig(place, "location", "longitude"),
            "time_zone": dig(place, "timeZone", "id"),
        }
        components = dig(place, "addressComponents")
        for each in components[:50] if isinstance(components, list) else []:
            types = dig(each, "types") or []
            for field, (kind, form) in _COMPONENTS.items():
                if isinstance(types, list) and kind in types:
                    given.setdefault(field, dig(each, form))
        known = facts.found(given, 0.9 if len(places) == 1 else 0.6)
        return Answers({key: known} if known else {})
