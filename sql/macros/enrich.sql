-- Words, sectors and bands for enrichment. Scalar macros, and one table macro over a view with the column `text`.

-- The words of a text: lower case, no accents, no punctuation, without `and`. The reference lists are compared so.
CREATE OR REPLACE TEMP MACRO enrich_words(cell) AS
    trim(regexp_replace(
        replace(lower(strip_accents(cell)), 'ß', 'ss'), '(?:[^a-z0-9]|\band\b)+', ' ', 'g'));

-- `Jane` for `jane`.
CREATE OR REPLACE TEMP MACRO enrich_capitalised(word) AS upper(word[1]) || word[2:];

-- `Acme Widgets` for the domain label `acme-widgets`; words of up to three letters are taken for initials.
CREATE OR REPLACE TEMP MACRO enrich_label_name(label) AS
    array_to_string(
        list_transform(
            list_filter(string_split(label, '-'), lambda word: word <> ''),
            lambda word: CASE WHEN length(word) <= 3 THEN upper(word) ELSE upper(word[1]) || word[2:] END),
        ' ');

-- A city as both sides of a comparison write it.
CREATE OR REPLACE TEMP MACRO enrich_place(cell) AS regexp_replace(lower(strip_accents(cell)), '[^a-z]', '', 'g');

-- Sector of each text by the words in it: more words beat fewer, surer beat less sure, then `head_sign` decides:
-- 1 takes the last match (the noun of a company's name), -1 the first (the topic of a description).
CREATE OR REPLACE TEMP MACRO enrich_sectors(texts, head_sign, is_name) AS TABLE
    WITH
    split AS (SELECT text, string_split(enrich_words(text), ' ')[:12] AS words FROM query_table(texts)),
    positions AS (
        SELECT
            text, unnest(words) AS word_1, unnest(words[2:]) AS word_2, unnest(words[3:]) AS word_3,
            unnest(range(1, len(words) + 1)) AS position
        FROM split
    ),
    matches AS (
        SELECT
            p.text, r.sector, r.confidence_share::DOUBLE AS confidence_share,
            10000 * r.word_count + 1000 * r.confidence_share::DOUBLE + head_sign * p.position AS match_rank
        FROM positions AS p
        INNER JOIN enrich_industry_words AS r
            ON p.word_1 = r.word_1
            AND (r.word_2 IS NULL OR r.word_2 = p.word_2)
            AND (r.word_3 IS NULL OR r.word_3 = p.word_3)
        WHERE r.in_names OR NOT is_name
    )
    SELECT
        text, arg_max(sector, match_rank) AS sector, arg_max(confidence_share, match_rank) AS confidence_share
    FROM matches
    GROUP BY text;

-- Size and revenue bands of the contract.
CREATE OR REPLACE TEMP MACRO enrich_employee_band(employee_count) AS
    CASE
        WHEN employee_count <= 0 THEN NULL
        WHEN employee_count <= 10 THEN '1-10'
        WHEN employee_count <= 50 THEN '11-50'
        WHEN employee_count <= 200 THEN '51-200'
        WHEN employee_count <= 500 THEN '201-500'
        WHEN employee_count <= 1000 THEN '501-1000'
        WHEN employee_count <= 5000 THEN '1001-5000'
        WHEN employee_count <= 10000 THEN '5001-10000'
        WHEN employee_count > 10000 THEN '10001+'
    END;

CREATE OR REPLACE TEMP MACRO enrich_revenue_band(revenue_usd) AS
    CASE
        WHEN revenue_usd <= 0 THEN NULL
        WHEN revenue_usd < 1e6 THEN '<1M'
        WHEN revenue_usd < 10e6 THEN '1M-10M'
        WHEN revenue_usd < 50e6 THEN '10M-50M'
        WHEN revenue_usd < 100e6 THEN '50M-100M'
        WHEN revenue_usd < 500e6 THEN '100M-500M'
        WHEN revenue_usd < 1e9 THEN '500M-1B'
        WHEN revenue_usd >= 1e9 THEN '1B+'
    END;
