-- What is out of the ordinary about a domain: that it is no company's own (`kind`), that it is not registrable itself
-- (`registrable` is its part that is, null for a public suffix), that its ending tells a sector. Most domains have no
-- row, so that the table stays small beside the leads.
-- Grain: domain of an e-mail address or web site. Key: domain.
-- Inputs: enrich_leads (validated leads), ref_mail_domains, ref_public_suffixes, ref_domain_endings.
CREATE OR REPLACE TEMP TABLE enrich_domain_facts AS
WITH
hosts AS (
    SELECT email_domain AS domain FROM enrich_leads WHERE email_domain IS NOT NULL
    UNION
    SELECT website AS domain FROM enrich_leads WHERE website IS NOT NULL
),

labelled AS (
    SELECT domain, string_split(domain, '.') AS labels FROM hosts
),

-- The longest public suffix that the domain ends in settles how many labels are registrable; `com` needs no row.
measured AS (
    SELECT
        l.domain,
        l.labels,
        CASE
            WHEN s4.suffix IS NOT NULL THEN 4 + s4.labels_beyond
            WHEN s3.suffix IS NOT NULL THEN 3 + s3.labels_beyond
            WHEN s2.suffix IS NOT NULL THEN 2 + s2.labels_beyond
            WHEN s1.suffix IS NOT NULL THEN 1 + s1.labels_beyond
            ELSE 2
        END AS label_count
    FROM labelled AS l
    LEFT JOIN ref_public_suffixes AS s1 ON s1.suffix = l.labels[-1]
    LEFT JOIN ref_public_suffixes AS s2 ON s2.suffix = CASE len(l.labels)
        WHEN 1 THEN NULL WHEN 2 THEN l.domain ELSE l.labels[-2] || '.' || l.labels[-1] END
    LEFT JOIN ref_public_suffixes AS s3
        ON s3.suffix = CASE WHEN len(l.labels) >= 3 THEN array_to_string(l.labels[-3:], '.') END
    LEFT JOIN ref_public_suffixes AS s4
        ON s4.suffix = CASE WHEN len(l.labels) >= 4 THEN array_to_string(l.labels[-4:], '.') END
),

registered AS (
    SELECT
        domain,
        CASE
            WHEN len(labels) = label_count THEN domain
            WHEN len(labels) > label_count THEN array_to_string(labels[-label_count:], '.')
        END AS registrable,
        labels[-1] AS ending,
        CASE WHEN len(labels) >= 3 AND length(labels[-1]) = 2 THEN labels[-2] || '.*' END AS country_ending
    FROM measured
),

facts AS (
    SELECT
        r.domain,
        r.registrable,
        coalesce(m.kind, n.kind) AS kind,
        coalesce(c.sector, t.sector) AS sector,
        coalesce(c.confidence_share, t.confidence_share)::DOUBLE AS confidence_share
    FROM registered AS r
    LEFT JOIN ref_mail_domains AS m ON m.domain = r.domain
    LEFT JOIN ref_mail_domains AS n ON n.domain = CASE WHEN r.registrable <> r.domain THEN r.registrable END
    LEFT JOIN ref_domain_endings AS t ON t.ending = r.ending
    LEFT JOIN ref_domain_endings AS c ON c.ending = r.country_ending
)

SELECT * FROM facts WHERE registrable IS DISTINCT FROM domain OR kind IS NOT NULL OR sector IS NOT NULL
