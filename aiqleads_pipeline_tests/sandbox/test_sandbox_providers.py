"""Providers of data about companies, addresses and places."""

import pytest

PDL = {"X-Api-Key": "sandbox-pdl-key"}
APOLLO = {"X-Api-Key": "sandbox-apollo-key"}
HUNTER = "/v2/email-verifier?api_key=sandbox-hunter-key&email="


@pytest.mark.parametrize(
    ("double", "method", "path", "kwargs", "status"),
    [
        ("pdl", "GET", "/v5/company/enrich?website=a.com", {}, 401),
        ("apollo", "GET", "/api/v1/organizations/enrich?domain=a.com", {}, 401),
        ("opencorporates", "GET", "/v0.4/companies/search?q=a", {}, 401),
        ("hunter", "GET", "/v2/email-verifier?email=a@b.com", {}, 401),
        ("places", "POST", "/v1/places:searchText", {"json": {"textQuery": "x"}}, 403),
        ("rest", "GET", "/v1/lookup?key=a.com", {}, 401),
        ("pdl", "GET", "/v5/company/enrich", {"headers": PDL}, 400),
        ("apollo", "GET", "/api/v1/organizations/enrich", {"headers": APOLLO}, 422),
        ("hunter", "GET", HUNTER + "nonsense", {}, 400),
        ("places", "POST", "/v1/places:searchText", {"json": {"textQuery": "x"}, "headers": {"X-Goog-Api-Key": "sandbox-places-key"}}, 400),  # noqa: E501
        ("zerobounce", "POST", "/v2/validatebatch", {"data": b"x"}, 415),
        ("rest", "POST", "/v1/bulk", {"json": {"keys": ["a"] * 51}, "headers": {"X-Api-Key": "sandbox-rest-key"}}, 422),
        ("sites", "GET", "/unknown-site.com/", {}, 404),
    ],
    ids=str,
)  # fmt: skip
def test_refused(sandbox, ask, double, method, path, kwargs, status):
    assert ask(double, method, path, **kwargs).status_code == status
    assert sandbox.counts(double)["effects"] == 0


def test_people_data_labs_one_and_many(sandbox, ask):
    sandbox.configure("pdl", companies={"acme.com": {"employee_count": 42}, "gone.com": None})
    found = ask("pdl", "GET", "/v5/company/enrich?website=acme.com", headers=PDL)
    assert found.json()["employee_count"] == 42 and found.headers["x-call-credits-spent"] == "1"
    assert ask("pdl", "GET", "/v5/company/enrich?website=gone.com", headers=PDL).json()["error"]["type"] == "not_found"
    order = [{"params": {"website": site}, "metadata": {"n": n}} for n, site in enumerate(("gone.com", "acme.com"))]
    rows = ask("pdl", "POST", "/v5/company/enrich/bulk", headers=PDL, json={"requests": order}).json()
    assert [(row["status"], row["metadata"]["n"]) for row in rows] == [(404, 0), (200, 1)]
    many = {"requests": order * 51}
    assert ask("pdl", "POST", "/v5/company/enrich/bulk", headers=PDL, json=many).status_code == 400
    sandbox.configure("pdl", credits=2)
    assert ask("pdl", "GET", "/v5/company/enrich?website=acme.com", headers=PDL).status_code == 402
    sandbox.configure("pdl", credits=None, requests_per_minute=1)
    assert ask("pdl", "GET", "/v5/company/enrich?website=acme.com", headers=PDL).status_code == 429


def test_apollo_one_and_many(sandbox, ask):
    sandbox.configure("apollo", companies={"acme.com": {"founded": 1999}, "gone.com": None})
    one = ask("apollo", "GET", "/api/v1/organizations/enrich?domain=acme.com", headers=APOLLO)
    assert one.json()["organization"]["founded_year"] == 1999 and one.headers["x-minute-usage"] == "1"
    assert ask("apollo", "GET", "/api/v1/organizations/enrich?domain=gone.com", headers=APOLLO).json() == {}
    path = "/api/v1/organizations/bulk_enrich?"
    rows = ask(
        "apollo", "POST", path + "domains[]=acme.com&domains[]=gone.com&domains[]=ACME.com", headers=APOLLO
    ).json()
    assert (rows["total_requested_domains"], rows["unique_domains"], rows["missing_records"]) == (3, 2, 1)
    eleven = "&".join(f"domains[]=c{n}.com" for n in range(11))
    assert ask("apollo", "POST", path + eleven, headers=APOLLO).status_code == 422


def test_opencorporates_by_name_and_number(sandbox, ask):
    sandbox.configure("opencorporates", companies={"acme-tools.com": {"jurisdiction": "us_tx", "number": "12345678"}})
    path = "/v0.4/companies/search?api_token=sandbox-opencorporates-key&q="
    found = ask("opencorporates", "GET", path + "Acme+Tools,+Inc.").json()["results"]
    assert found["total_count"] == 2
    assert [row["company"]["inactive"] for row in found["companies"]] == [False, True]
    assert ask("opencorporates", "GET", path + "acme+tools&jurisdiction_code=de").json()["results"]["total_count"] == 0
    one = "/v0.4/companies/us_tx/12345678?api_token=sandbox-opencorporates-key"
    assert ask("opencorporates", "GET", one).json()["results"]["company"]["current_status"] == "Active"
    sandbox.configure("opencorporates", credits=0)
    assert ask("opencorporates", "GET", path + "acme").status_code == 403


@pytest.mark.parametrize("state", ["valid", "invalid", "accept_all", "webmail", "disposable", "unknown"])
def test_hunter_in_every_state(ask, state):
    answer = ask("hunter", "GET", f"{HUNTER}{state}@example.com")
    data = answer.json()["data"]
    assert answer.status_code == 200 and data["status"] == state and 0 <= data["score"] <= 100


def test_hunter_asks_for_patience_and_says_no(sandbox, ask):
    said = [ask("hunter", "GET", HUNTER + "slow2@example.com").status_code for _ in range(4)]
    assert said == [202, 202, 200, 200] and sandbox.counts("hunter")["effects"] == 1
    claimed = ask("hunter", "GET", HUNTER + "claimed@example.com")
    assert claimed.status_code == 451 and claimed.json()["errors"][0]["id"] == "claimed_email"
    assert ask("hunter", "GET", HUNTER + "222@example.com").status_code == 222
    sandbox.configure("hunter", verifications=2)
    assert ask("hunter", "GET", HUNTER + "valid@example.com").status_code == 429


def test_zerobounce_batches(sandbox, ask):
    def batch(*emails, key="sandbox-zerobounce-key"):
        body = {"api_key": key, "email_batch": [{"email_address": email} for email in emails]}
        return ask("zerobounce", "POST", "/v2/validatebatch", json=body)

    names = ("valid", "invalid", "catch-all", "unknown", "spamtrap", "abuse", "do_not_mail", "disposable")
    rows = batch(*(f"{name}@example.com" for name in names)).json()["email_batch"]
    assert [row["status"] for row in rows] == [*names[:7], "do_not_mail"] and rows[7]["sub_status"] == "disposable"
    assert batch("a@example.com", key="x").json()["errors"][0]["email_address"] == "all"
    assert batch(*(f"p{n}@example.com" for n in range(201))).status_code == 400
    sandbox.fault("zerobounce", "partial", records=1.0)
    told = batch("valid@example.com").json()
    assert told["email_batch"] == [] and told["errors"][0]["email_address"] == "valid@example.com"


def test_places_in_three_protocols(ask):
    key = {"X-Goog-Api-Key": "sandbox-places-key", "X-Goog-FieldMask": "places.location,places.formattedAddress"}
    [place] = ask("places", "POST", "/v1/places:searchText", headers=key, json={"textQuery": "Acme, Berlin"}).json()[
        "places"
    ]
    assert set(place) == {"location", "formattedAddress"} and "Berlin" in place["formattedAddress"]
    path = "/maps/api/geocode/json?key=sandbox-places-key&address="
    found = ask("places", "GET", path + "Berlin").json()
    assert found["status"] == "OK" and found["results"][0]["geometry"]["location"]["lat"] == 52.5323
    assert ask("places", "GET", path + "nowhere").json()["status"] == "ZERO_RESULTS"
    assert ask("places", "GET", "/maps/api/geocode/json?address=x&key=y").json()["status"] == "REQUEST_DENIED"
    agent = {"User-Agent": "aiqleads"}
    assert (
        ask("places", "GET", "/search?q=Lyon&format=jsonv2", headers=agent).json()[0]["address"]["country_code"] == "fr"
    )
    assert ask("places", "GET", "/search?q=Lyon&format=jsonv2").status_code == 403


def test_sites_hold_profiles_and_traps(sandbox, ask):
    sandbox.configure("sites", companies={"acme.com": {}, "b.com": {}})
    page = ask("sites", "GET", "/acme.com/").text
    assert "https://www.linkedin.com/company/acme/" in page and "shareArticle" in page and "sameAs" in page
    assert ask("sites", "GET", "/", headers={"Host": "acme.com"}).text == page
    assert "linkedin.com/company" not in ask("sites", "GET", "/none-acme.com/").text
    assert "javascript:" in ask("sites", "GET", "/hostile-b.com/").text
    assert "Disallow" in ask("sites", "GET", "/robots.txt").text


def test_what_is_known_depends_on_the_name_alone(ask):
    def known():
        return [
            ask("rest", "GET", f"/v1/lookup?key=company-{n}.com", headers={"X-Api-Key": "sandbox-rest-key"}).status_code
            for n in range(40)
        ]

    first = known()
    assert first == known() and 200 in first and 404 in first
