-- What pages were at this crawl. Grain: the page of a site. Inputs: site, and arrays of one length.
INSERT INTO aiqleads.scrape_pages (
    site, url_sha256, url, etag, last_modified, content_sha256, leads_sha256, rules_sha256, links, fetched_at
)
SELECT
    :site, sha256(convert_to(page.url, 'UTF8')), page.url, page.etag, page.last_modified, page.content_sha256,
    page.leads_sha256, page.rules_sha256, cast(page.links AS jsonb), page.fetched_at
FROM
    unnest(
        cast(:urls AS text[]), cast(:etags AS text[]), cast(:last_modifieds AS text[]),
        cast(:content_hashes AS text[]), cast(:leads_hashes AS text[]), cast(:rules_hashes AS text[]),
        cast(:links AS text[]), cast(:fetched_ats AS timestamptz[])
    ) AS page (
        url, etag, last_modified, content_sha256, leads_sha256, rules_sha256, links, fetched_at
    )
ON CONFLICT (site, url_sha256) DO UPDATE
SET
    etag = excluded.etag, last_modified = excluded.last_modified, content_sha256 = excluded.content_sha256,
    leads_sha256 = excluded.leads_sha256, rules_sha256 = excluded.rules_sha256, links = excluded.links,
    fetched_at = excluded.fetched_at
