-- Grain: distinct host that needs a look-up, and ''. Key: host. Inputs: tables deep_hosts, ref_public_suffixes.
-- `domain`: the longest public suffix at its end and one label more (as the list's wildcards and exceptions say).
WITH tails AS (
    SELECT host, labels, unnest(range(0, len(labels))) AS labels_before
    FROM (SELECT host, string_split(ascii_host, '.') AS labels FROM deep_hosts)
),

rules AS (
    SELECT
        tails.host, tails.labels,
        -- An exception (0 beyond) beats what is longer.
        min(CASE WHEN rule.labels_beyond = 0 THEN -1 ELSE 0 END) AS is_exception,
        min(tails.labels_before - rule.labels_beyond) AS kept_from,
        max(tails.labels_before) FILTER (rule.labels_beyond = 0) AS exception_from
    FROM tails
    JOIN ref_public_suffixes AS rule ON rule.suffix = array_to_string(tails.labels[tails.labels_before + 1:], '.')
    GROUP BY ALL
)

SELECT
    deep_hosts.host,
    CASE
        WHEN is_exception < 0 THEN array_to_string(rules.labels[exception_from + 1:], '.')
        WHEN kept_from IS NOT NULL THEN array_to_string(rules.labels[greatest(kept_from, 0) + 1:], '.')
        ELSE array_to_string(string_split(ascii_host, '.')[-2:], '.')
    END AS domain
FROM deep_hosts
LEFT JOIN rules ON rules.host = deep_hosts.host
UNION ALL
SELECT '', NULL
