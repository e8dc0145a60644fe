-- Names of people: letters' case and parts. Scalar macros over cleaned text.

CREATE OR REPLACE TEMP MACRO is_one_case(cell) AS
    (cell = upper(cell) OR cell = lower(cell)) AND upper(cell) <> lower(cell);

-- One word of a name (in small letters) in title case: Mc, O', particles and suffixes as they are written.
CREATE OR REPLACE TEMP MACRO cased_word(word) AS
    CASE
        WHEN strpos(' van von der den de del della di da dos du la le ten ter zu bin ibn el y ', ' ' || word || ' ') > 0 THEN word
        WHEN strpos(' ii iii iv vi vii viii ', ' ' || word || ' ') > 0 THEN upper(word)
        WHEN starts_with(word, 'mc') AND strlen(word) >= 5 THEN 'Mc' || upper(word[3]) || word[4:]
        WHEN starts_with(word, 'o''') OR starts_with(word, 'd''') THEN upper(word[1]) || '''' || upper(word[3]) || word[4:]
        ELSE upper(word[1]) || word[2:]
    END;

-- Written in capitals or in small letters throughout: title case; else as it is. Initials (JB) stay.
CREATE OR REPLACE TEMP MACRO cased_name(cell) AS
    CASE
        WHEN cell IS NULL OR NOT is_one_case(cell) THEN cell
        WHEN regexp_full_match(cell, '[B-DF-HJ-NP-TV-Z]{2}|(?:[A-Za-z]\. ?)+') THEN cell
        WHEN regexp_full_match(cell, '[A-LN-Za-ln-z][A-Za-z]+') THEN upper(cell[1]) || lower(cell[2:])
        ELSE upper(cell[1]) || array_to_string(list_transform(string_split(lower(cell), ' '),
            lambda word: array_to_string(list_transform(string_split(word, '-'), lambda part: cased_word(part)), '-')), ' ')[2:]
    END;

-- The same for a family name, whose particle stays small: van der Berg.
CREATE OR REPLACE TEMP MACRO cased_family_name(cell) AS
    CASE
        WHEN contains(cell, ' ') AND is_one_case(cell)
            THEN array_to_string(list_transform(string_split(lower(cell), ' '), lambda word: cased_word(word)), ' ')
        ELSE cased_name(cell)
    END;

-- The whole name without title in front and degrees behind.
CREATE OR REPLACE TEMP MACRO bare_name(name) AS
    CASE
        WHEN regexp_full_match(name, '[^ ,.]{3,} [^ ,.]{4,}') AND NOT regexp_matches(name, '(?i)^(?:mrs|miss|prof|herr|frau|mme|sra|don) ') THEN name
        ELSE trim(regexp_replace(regexp_replace(name,
            '(?i)^(?:(?:mrs?|ms|miss|mx|dr|prof|professor|herr|frau|sir|dame|rev|hon|mme|mlle|monsieur|madame|sra?|srta|dipl\.?-?ing|ing|mag|dott|eng)\b\.? +)+', ''),
            '(?i)(?:,? +(?:jr|sr|ii|iii|iv|ph\.?d|m\.?d|esq|mba|cpa|dds|m\.?sc|b\.?sc|cfa|pmp)\.?)+$', ''))
    END;

-- Where the family name begins is certain: two words, particles before the last word, or a comma behind it.
CREATE OR REPLACE TEMP MACRO family_name(bare) AS
    CASE
        WHEN regexp_full_match(bare, '(?i)[^ ,]*|.*, ?(?:inc|llc|ltd|limited|gmbh|ag|corp|co|plc|esq|cpa|md|sa|bv)\.?') THEN NULL
        WHEN contains(bare, ',') THEN nullif(trim(split_part(bare, ',', 1)), '')
        WHEN regexp_full_match(bare, '[^ ]+ [^ ]+') THEN split_part(bare, ' ', 2)
        ELSE trim(regexp_extract(bare, '(?i)^[^ ]+(?: [^ ]+)*?((?: (?:van|von|vom|der|den|de|del|della|di|da|das|dos|du|la|le|ten|ter|zu|zum|bin|ibn|al|el|st\.?|san|saint|abu))* [^ ]+)$', 1))
    END;

CREATE OR REPLACE TEMP MACRO given_name(bare) AS
    CASE
        WHEN regexp_full_match(bare, '(?i)[^ ,]*|.*, ?(?:inc|llc|ltd|limited|gmbh|ag|corp|co|plc|esq|cpa|md|sa|bv)\.?') THEN NULL
        WHEN contains(bare, ',') THEN nullif(split_part(trim(split_part(bare, ',', 2)), ' ', 1), '')
        WHEN regexp_matches(bare, '^[A-Za-z]\.? ') AND NOT regexp_full_match(bare, '[^ ]+ [^ ]+') THEN split_part(bare, ' ', 1) || ' ' || split_part(bare, ' ', 2)
        WHEN regexp_matches(bare, '(?i)^(?:van|von|de|del|di|da|al|el|bin|st\.?) ') THEN NULL
        ELSE split_part(bare, ' ', 1)
    END;
