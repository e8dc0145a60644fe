-- grain: one row of the generated CSV, in order; key: none (repeats are wanted)
-- inputs: draws (numbers and words drawn by messy_leads.py)
WITH placed AS (
    SELECT
        *,
        company_start || ' ' || company_end || CASE WHEN company_number < 6 THEN '' ELSE ' ' || company_number END
            || company_form AS company,
        lower(company_start || company_end) || CASE WHEN company_number < 6 THEN '' ELSE company_number::VARCHAR END
            || domain_end AS company_domain,
        regexp_replace(strip_accents(lower(first_name)), '[^a-z]', '', 'g') AS first_ascii,
        regexp_replace(strip_accents(lower(last_name)), '[^a-z]', '', 'g') AS last_ascii,
        lpad(exchange::VARCHAR, 3, '0') AS exchange_text,
        lpad(subscriber::VARCHAR, 4, '0') AS subscriber_text,
        lpad(digits::VARCHAR, 8, '0') AS digits_text,
        us_zip3 || lpad(zip2::VARCHAR, 2, '0') AS zip5,
        TIMESTAMP '2025-07-01' + to_minutes(minute::BIGINT) AS created
    FROM draws
), reached AS (
    SELECT
        *,
        CASE
            WHEN mail_kind < 4 THEN first_ascii || '.' || last_ascii || (person % 7919) || '@' || company_domain
            WHEN mail_kind < 6 THEN first_ascii[:1] || last_ascii || (person % 9973) || '@' || company_domain
            WHEN mail_kind = 6 THEN 'info' || person || '@' || company_domain
            ELSE first_ascii || last_ascii || (person * 7 % 99991) || '@' || free_mail
        END AS good_email,
        CASE phone_format
            WHEN 0 THEN '(' || us_area || ') ' || exchange_text || '-' || subscriber_text
            WHEN 1 THEN us_area || '-' || exchange_text || '-' || subscriber_text
            WHEN 2 THEN '+1' || us_area || exchange_text || subscriber_text
            WHEN 3 THEN us_area || exchange_text || subscriber_text
            WHEN 4 THEN '1 ' || us_area || '.' || exchange_text || '.' || subscriber_text
            ELSE us_area || ' ' || exchange_text || ' ' || subscriber_text
        END AS us_phone,
        replace(replace(replace(other_phone,
            '####', subscriber_text), '###', exchange_text), '##', digits_text[1:2]) AS other_phone_1
    FROM placed
)
SELECT
    CASE created_kind
        WHEN 0 THEN strftime(created, '%Y-%m-%d')
        WHEN 1 THEN strftime(created, '%m/%d/%Y')
        WHEN 2 THEN strftime(created, '%Y-%m-%dT%H:%M:%SZ')
        WHEN 3 THEN strftime(created, '%-m/%-d/%Y %-I:%M %p')
        WHEN 4 THEN strftime(created, '%b %-d, %Y')
        ELSE strftime(created, '%Y-%m-%d %H:%M:%S')
    END AS "Created At",
    CASE WHEN manner IN (1, 3) THEN upper(first_name) ELSE first_name END AS "First Name",
    CASE WHEN manner IN (1, 3) THEN upper(last_name) WHEN manner = 2 THEN lower(last_name) ELSE last_name END
        AS "Last Name",
    CASE
        WHEN manner = 2 THEN first_ascii || '.other' || person || '@' || company_domain
        WHEN bad_email_kind = 0 THEN replace(good_email, '@', ' at ')
        WHEN bad_email_kind = 1 THEN replace(good_email, '@', '@@')
        WHEN bad_email_kind = 2 THEN split_part(good_email, '@', 1) || '@'
        WHEN bad_email_kind = 3 THEN replace(good_email, '@', ' x@')
        WHEN bad_email_kind = 4 THEN replace(good_email, '@', '@.')
        WHEN bad_email_kind = 5 THEN 'n/a'
        WHEN NOT has_email THEN NULL
        WHEN manner IN (1, 3) THEN upper(good_email)
        WHEN mail_kind = 5 THEN ' ' || good_email || ' '
        ELSE good_email
    END AS "Email Address",
    CASE
        WHEN is_bad_phone THEN bad_phone
        WHEN NOT has_phone THEN NULL
        WHEN is_abroad THEN
            replace(replace(replace(other_phone_1, '#######', digits_text[1:7]), '#####', digits_text[4:8]),
                '#', digits_text[8:8])
        ELSE us_phone
    END AS "Phone Number",
    CASE WHEN message_kind % 11 = 0 THEN NULL ELSE job_title END AS "Job Title",
    CASE WHEN message_kind = 99 THEN NULL ELSE company END AS "Company",
    CASE message_kind % 4
        WHEN 0 THEN 'https://www.' || company_domain || '/'
        WHEN 1 THEN 'www.' || company_domain
        WHEN 2 THEN company_domain
        ELSE NULL
    END AS "Website",
    CASE WHEN money_kind = 11 THEN NULL ELSE industry END AS "Industry",
    CASE employees_kind
        WHEN 0 THEN '51-200'
        WHEN 1 THEN '1-10'
        WHEN 2 THEN '201 - 500 employees'
        WHEN 3 THEN format('{:,}', 1000 + employees % 90000)
        WHEN 4 THEN '10,000+'
        WHEN 5 THEN NULL
        WHEN 6 THEN '~' || (10 + employees % 500)
        ELSE (1 + employees % 3000)::VARCHAR
    END AS "Employees",
    CASE money_kind
        WHEN 0 THEN '$' || (money % 900 + 1) / 10 || 'M'
        WHEN 1 THEN format('${:,}', 10000 + money * 37)
        WHEN 2 THEN (money * 53 + 1000)::VARCHAR
        WHEN 3 THEN '$' || (money % 9 + 1) || 'M - $' || (money % 9 + 10) || 'M'
        WHEN 4 THEN format('USD {:,}', 1000 + money * 11)
        WHEN 5 THEN (money % 99 + 1) / 10 || ' million'
        WHEN 6 THEN '€' || (money % 80 + 1) || ',5 Mio'
        WHEN 7 THEN '<1M'
        WHEN 8 THEN 'unknown'
        ELSE NULL
    END AS "Annual Revenue",
    (street_number + 1) || ' ' || street || CASE WHEN message_kind < 8 THEN ', Suite ' || (person % 900 + 1) ELSE '' END
        AS "Street Address",
    CASE WHEN is_abroad THEN other_city ELSE us_city END AS "City",
    CASE WHEN is_abroad THEN nullif(other_region, '') ELSE us_state END AS "State",
    CASE
        WHEN is_abroad THEN replace(other_postal, '##', digits_text[1:2])
        WHEN zip_kind < 4 THEN ltrim(zip5, '0')
        WHEN zip_kind = 4 THEN zip5 || '-' || lpad(zip4::VARCHAR, 4, '0')
        ELSE zip5
    END AS "Zip Code",
    CASE WHEN is_abroad THEN other_country ELSE nullif(us_country, '') END AS "Country",
    campaign AS "Campaign",
    CASE
        WHEN message_kind < 40 THEN NULL
        WHEN message_kind < 46 THEN message || E'.\nRegards,\n' || first_name
        WHEN message_kind < 50 THEN 'They said "' || message || '" – ref. ' || person
        ELSE message || '. Ref ' || person || ' / ' || (money % 97)
    END AS "Message",
    CASE budget_kind
        WHEN 0 THEN '$' || budget || 'k'
        WHEN 1 THEN format('{:,}', budget * 100)
        WHEN 2 THEN '$' || budget || 'k - $' || (budget + 50) || 'k'
        WHEN 3 THEN budget * 250 || ' USD'
        WHEN 4 THEN 'tbd'
        ELSE NULL
    END AS "Budget",
    CASE WHEN page_views < 20 THEN NULL ELSE page_views - 20 END AS "Page Views"
FROM reached
