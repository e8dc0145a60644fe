"""Places: Google's Text Search (New) and Geocoding, and a Nominatim.

After https://developers.google.com/maps/documentation/places/web-service/text-search,
https://developers.google.com/maps/documentation/geocoding and https://nominatim.org/release-docs/latest/api/Search/.
"""

from __future__ import annotations

from typing import Any

from aiqleads_pipeline.sandbox.doubles.companies import CITIES, COUNTRIES, CompanyDouble, facts_of
from aiqleads_pipeline.sandbox.exchange import Reply, Request, in_json, in_text, route


class Places(CompanyDouble):
    """One project. It knows the six cities of the made-up companies, and a place for every text that names none."""

    name = "places"
    title = "Places and geocoding"
    credentials = {"api_key": "sandbox-places-key"}

    @route("POST", "/v1/places:searchText")
    def search_text(self, request: Request) -> Reply:
        """Places of a text; only what the field mask asks for."""
        if (request.headers.get("x-goog-api-key") or request.query.get("key")) != self.credentials["api_key"]:
            return _google(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers")
        mask = request.headers.get("x-goog-fieldmask") or request.query.get("fields", "")
        if not mask:
            return _google(400, "INVALID_ARGUMENT", "FieldMask is a required parameter")
        if self.is_over_rate(int(request.now.timestamp()) // 60):
            return self.throttled(request)
        try:
            text = str(request.json()["textQuery"])
        except (ValueError, KeyError, TypeError):
            return _google(400, "INVALID_ARGUMENT", "textQuery is empty or missing")
        found = self._find(text)
        if found is None:
            return in_json({})
        self.spent += 1
        wanted = [name.strip().removeprefix("places.").partition(".")[0] for name in mask.split(",")]
        place = _place(found)
        unknown = [name for name in wanted if name != "*" and name not in place]
        if unknown:
            return _google(400, "INVALID_ARGUMENT", f"Error expanding 'fields' parameter. Cannot find {unknown}")
        shown = place if "*" in wanted else {name: place[name] for name in place if name in wanted}
        return in_json({"places": [shown]}, effects=1)

    @route("GET", "/maps/api/geocode/json")
    def geocode(self, request: Request) -> Reply:
        """An address; errors are a status of a 200, as theirs are."""
        if request.query.get("key") != self.credentials["api_key"]:
            text = "The provided API key is invalid."
            return in_json({"error_message": text, "results": [], "status": "REQUEST_DENIED"})
        if not request.query.get("address"):
            return in_json({"results": [], "status": "INVALID_REQUEST"}, 400)
        if self.is_over_rate(int(request.now.timestamp()) // 60):
            return in_json({"results": [], "status": "OVER_QUERY_LIMIT"})
        found = self._find(request.query["address"])
        if found is None:
            return in_json({"results": [], "status": "ZERO_RESULTS"})
        self.spent += 1
        place = _place(found)
        result = {
            "address_components": [
                {"long_name": each["longText"], "short_name": each["shortText"], "types": each["types"]}
                for each in place["addressComponents"]
            ],
            "formatted_address": place["formattedAddress"], "place_id": place["id"], "types": ["street_address"],
            "geometry": {"location": {"lat": found["latitude"], "lng": found["longitude"]}, "location_type": "ROOFTOP"},
        }  # fmt: skip
        return in_json({"results": [result], "status": "OK"}, effects=1)

    @route("GET", "/search")
    def nominatim(self, request: Request) -> Reply:
        """A free text; without a User-Agent of one's own it is refused, as their policy says."""
        agent = request.headers.get("user-agent", "")
        if not agent or agent.startswith(("python-", "curl")):
            return in_text("Usage blocked: see the usage policy", 403)
        found = self._find(request.query.get("q", ""))
        if found is None:
            return in_json([])
        self.spent += 1
        row = {
            "place_id": int(found["number"]), "licence": "Data © OpenStreetMap contributors, ODbL 1.0",
            "lat": str(found["latitude"]), "lon": str(found["longitude"]), "display_name": _address(found),
            "address": {
                "city": found["city"], "state": found["region"], "postcode": found["postal_code"],
                "country": found["country_name"], "country_code": found["country"].lower(),
            },
        }  # fmt: skip
        return in_json([row], effects=1)

    def throttled(self, request: Request) -> Reply:
        """Google's words."""
        return _google(429, "RESOURCE_EXHAUSTED", "Quota exceeded for quota metric 'SearchTextRequest'")

    def _find(self, text: str) -> dict[str, Any] | None:
        words = text.strip().lower()
        if not words or "unknown" in words or "nowhere" in words:
            return None
        facts = facts_of(f"{'-'.join(words.replace(',', ' ').split())}.com")
        for city, region, code, country, postal, latitude, longitude, _ in CITIES:
            if city.lower() in words:
                facts |= {
                    "city": city,
                    "region": region,
                    "region_code": code,
                    "country": country,
                    "postal_code": postal,
                }
                facts |= {"latitude": latitude, "longitude": longitude, "country_name": COUNTRIES[country]}
        return {**facts, "name": text.strip().split(",")[0]}


def _address(found: dict[str, Any]) -> str:
    return f"{found['street']}, {found['city']}, {found['region_code']} {found['postal_code']}, {found['country_name']}"


def _place(found: dict[str, Any]) -> dict[str, Any]:
    parts = (
        (found["street"], found["street"], "route"), (found["city"], found["city"], "locality"),
        (found["region"], found["region_code"], "administrative_area_level_1"),
        (found["country_name"], found["country"], "country"), 
        (found["postal_code"], found["postal_code"], "postal_code"),
    )  # fmt: skip
    return {
        "id": f"ChIJ{found['number']}", "displayName": {"text": found["name"], "languageCode": "en"},
        "formattedAddress": _address(found),
        "location": {"latitude": found["latitude"], "longitude": found["longitude"]},
        "addressComponents": [
            {"longText": long, "shortText": short, "types": [kind, "political"], "languageCode": "en"}
            for long, short, kind in parts
        ],
        "internationalPhoneNumber": found["phone"], "websiteUri": f"https://{found['domain']}/",
        "types": ["corporate_office"],
        "businessStatus": "OPERATIONAL", "name": f"places/ChIJ{found['number']}",
    }  # fmt: skip


def _google(code: int, status: str, message: str) -> Reply:
    return in_json({"error": {"code": code, "message": message, "status": status}}, code)
