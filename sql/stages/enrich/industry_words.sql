-- The kept list of industry words, one column per word.
-- Grain: phrase. Key: word_1, word_2, word_3. Input: ref_industry_words.
CREATE OR REPLACE TEMP TABLE enrich_industry_words AS
SELECT
    split_part(words, ' ', 1) AS word_1,
    nullif(split_part(words, ' ', 2), '') AS word_2,
    nullif(split_part(words, ' ', 3), '') AS word_3,
    len(string_split(words, ' ')) AS word_count,
    sector,
    confidence_share::DOUBLE AS confidence_share,
    in_names::BOOLEAN AS in_names
FROM ref_industry_words
