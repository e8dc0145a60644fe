-- E-mail addresses: what `email_validator` decides about ASCII addresses, as patterns. Scalar macros.

-- The first thing in the cell that has an @, without the wrapping that mail programs and people put around it.
CREATE OR REPLACE TEMP MACRO email_candidate(cell) AS
    CASE
        WHEN regexp_full_match(cell, '[a-zA-Z0-9._+\-]+@[a-zA-Z0-9.\-]*[a-zA-Z0-9]') THEN lower(cell)
        ELSE lower(regexp_replace(regexp_replace(coalesce(
            nullif(regexp_extract(cell, '<\s*(?:mailto:)?([^<>\s]+@[^<>\s]+)\s*>', 1), ''),
            nullif(regexp_extract(cell, '[^\s<>,;|"()\[\]]+@[^\s<>,;|"()\[\]]+'), ''), cell),
            '(?i)^(?:mailto:|e-?mail:|smtp:)+', ''), '^''+|[.,;:''!?]+$|\?.*$', '', 'g'))
    END;

CREATE OR REPLACE TEMP MACRO has_several_emails(cell) AS
    regexp_matches(cell, '[^\s<>,;|"()\[\]]@[^\s<>,;|"()\[\]/]+(?:[\s,;|/"<>()\[\]]|\bor\b)+[^\s<>,;|"()\[\]]+@\S')
    AND NOT regexp_full_match(cell, '[^<]*<[^<>]*>');

-- The usual kind, which every rule below accepts.
CREATE OR REPLACE TEMP MACRO is_usual_email(candidate) AS
    strlen(candidate) <= 64
    AND regexp_full_match(candidate, '[a-z0-9_+\-]+(?:\.[a-z0-9_+\-]+)*@(?:[a-z0-9]+(?:-[a-z0-9]+)*\.)+[a-z]{2,}')
    AND NOT ends_with(candidate, 'arpa') AND NOT ends_with(candidate, 'invalid') AND NOT ends_with(candidate, 'local')
    AND NOT ends_with(candidate, 'localhost') AND NOT ends_with(candidate, 'onion') AND NOT ends_with(candidate, 'test');

-- Addresses that people type to get past a form: none@none.com and the like.
CREATE OR REPLACE TEMP MACRO is_placeholder_email(candidate) AS
    regexp_full_match(candidate, '(?:none?|na|n/a|no-?e?-?mail|not-?given|unknown|null|test|xx+|asdf|fake|spam)@(?:none?|na|no-?e?-?mail|not-?given|unknown|null|test|email|mail|xx+|asdf|fake|spam)\.(?:com|net|org|co|nope)');

CREATE OR REPLACE TEMP MACRO needs_email_library(candidate) AS
    regexp_matches(candidate, '[^\x00-\x7f]|@(?:.*\.)?xn--');

-- Exactly what `email_validator` accepts of addresses in ASCII (not quoted, no literals, no punycode).
CREATE OR REPLACE TEMP MACRO is_email(candidate) AS
    regexp_full_match(candidate, '[a-z0-9_!#$%&''*+\-/=?^`{|}~]+(?:\.[a-z0-9_!#$%&''*+\-/=?^`{|}~]+)*@(?:[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?\.)+(?:[a-z0-9][a-z0-9\-]*)?[a-z]')
    AND strlen(candidate) <= 254
    AND NOT regexp_matches(candidate, '@(?:.*\.)?(?:arpa|invalid|local|localhost|onion|test)$|[@.][a-wyz0-9].--|[@.]x[a-mo-z0-9\-]--')
    AND (strlen(candidate) <= 64 OR strlen(split_part(candidate, '@', 2)) <= 253
        AND list_max(list_transform(string_split(split_part(candidate, '@', 2), '.'), lambda label: strlen(label))) <= 63);

-- The mailbox behind an address, for telling whether two addresses are one: dots and tags that the provider ignores.
CREATE OR REPLACE TEMP MACRO email_identity(email, domain) AS
    CASE
        WHEN domain IN ('gmail.com', 'googlemail.com')
            THEN replace(split_part(split_part(email, '@', 1), '+', 1), '.', '') || '@gmail.com'
        -- (One condition a branch: DuckDB 2.0 fails to bind two of them joined by AND over a column that is all null.)
        WHEN NOT contains(email, '+') OR starts_with(email, '+') THEN email
        WHEN regexp_full_match(domain, 'outlook\.[a-z.]+|hotmail\.[a-z.]+|live\.[a-z.]+|msn\.com|icloud\.com|me\.com|mac\.com|fastmail\.(?:com|fm)|proton(?:mail)?\.(?:com|me|ch)|pm\.me|yandex\.[a-z.]+|zoho\.(?:com|eu)|mailbox\.org|posteo\.[a-z]+|hey\.com')
            THEN split_part(split_part(email, '@', 1), '+', 1) || '@' || domain
        ELSE email
    END;
