-- Seniority and function of a job title, by the words in it.
-- Grain: job title. Key: job_title; titles that say nothing are left out. Inputs: enrich_leads, ref_job_words.
CREATE OR REPLACE TEMP TABLE enrich_title_facts AS
WITH
titles AS (SELECT DISTINCT job_title FROM enrich_leads WHERE job_title IS NOT NULL),

-- Whom somebody assists, reports to or advises is not who they are: `Assistant to the CEO` ends at `assistant to`.
own AS (
    SELECT
        job_title,
        regexp_replace(
            enrich_words(job_title),
            '\b((?:assistant|secretary|ea|pa|advis[eo]r|aide|deputy|reporting|reports|support|office|coach) (?:to|of))\b.*$',
            '\1'
        ) AS words_text
    FROM titles
),

split AS (SELECT job_title, words_text, string_split(words_text, ' ')[:16] AS words FROM own WHERE words_text <> ''),

positions AS (
    SELECT
        job_title, unnest(words) AS word_1, unnest(words[2:]) AS word_2, unnest(words[3:]) AS word_3,
        unnest(words[4:]) AS word_4, unnest(range(1, len(words) + 1)) AS position
    FROM split
),

job_words AS (
    SELECT
        split_part(words, ' ', 1) AS word_1,
        nullif(split_part(words, ' ', 2), '') AS word_2,
        nullif(split_part(words, ' ', 3), '') AS word_3,
        nullif(split_part(words, ' ', 4), '') AS word_4,
        seniority,
        100 * seniority_rank::INTEGER AS seniority_rank,
        function AS job_function,
        100 * function_rank::INTEGER AS function_rank
    FROM ref_job_words
),

-- Higher ranks win; among equals the first in the title.
matched AS (
    SELECT
        p.job_title,
        arg_max(r.seniority, r.seniority_rank - p.position) AS seniority,
        arg_max(r.job_function, r.function_rank - p.position) AS job_function
    FROM positions AS p
    INNER JOIN job_words AS r
        ON p.word_1 = r.word_1
        AND (r.word_2 IS NULL OR r.word_2 = p.word_2)
        AND (r.word_3 IS NULL OR r.word_3 = p.word_3)
        AND (r.word_4 IS NULL OR r.word_4 = p.word_4)
    GROUP BY p.job_title
),

-- A word that ends as the names of occupations do is an occupation, even if no list has it.
judged AS (
    SELECT
        s.job_title,
        m.seniority,
        m.job_function,
        s.words_text LIKE '% assistant' AND m.seniority IN ('c_level', 'vp', 'director', 'manager') AS is_assistant,
        regexp_matches(s.words_text, '\b[a-z]{3,}(?:ist|er|or|ian|eer|man|men|woman|person|grapher|smith|nurse)s?\b')
            AS is_occupation
    FROM split AS s
    LEFT JOIN matched AS m USING (job_title)
)

SELECT
    job_title,
    CASE WHEN is_assistant THEN 'staff' ELSE coalesce(seniority, 'staff') END AS job_seniority,
    CASE WHEN is_assistant AND job_function = 'executive' THEN 'operations' ELSE coalesce(job_function, 'other') END
        AS job_function
FROM judged
WHERE seniority IS NOT NULL OR job_function IS NOT NULL OR is_occupation
