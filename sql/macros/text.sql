-- Cleaning of one cell and the folding that comparisons use. Scalar macros; input: text as received.

-- Characters that nobody can see: controls, soft hyphen, zero-width, bidirectional marks, byte order mark, tags.
CREATE OR REPLACE TEMP MACRO without_invisible(cell) AS
    regexp_replace(cell, '[\x{00}-\x{08}\x{0e}-\x{1f}\x{7f}-\x{9f}\x{ad}\x{200b}-\x{200f}\x{202a}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]+', '', 'g');

-- Whether `clean_cell` would change the cell (or might: combining marks are taken for unclean).
CREATE OR REPLACE TEMP MACRO is_unclean(cell) AS
    regexp_matches(cell, '[\x{00}-\x{1f}\x{7f}-\x{a0}\x{ad}\x{300}-\x{36f}\x{1100}-\x{11ff}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{212a}\x{212b}\x{3000}\x{3099}\x{309a}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]|  |^ | $');

-- Without invisible characters, in NFC, white space collapsed to single blanks and trimmed; null if nothing is left.
CREATE OR REPLACE TEMP MACRO clean_cell(cell) AS
    CASE
        WHEN NOT is_unclean(cell) THEN nullif(cell, '')
        ELSE list_filter([trim(regexp_replace(
            without_invisible(nfc_normalize(cell)),
            '[\s\x{0b}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}]+', ' ', 'g'))], lambda text: text <> '')[1]
    END;

-- The same for text of several lines: line breaks stay.
CREATE OR REPLACE TEMP MACRO clean_lines(cell) AS
    CASE
        WHEN NOT is_unclean(cell) THEN nullif(cell, '')
        ELSE nullif(trim(regexp_replace(regexp_replace(
            without_invisible(nfc_normalize(replace(cell, chr(13), ''))),
            '[\t\f\x{0b}\x{a0}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000} ]+', ' ', 'g'),
            ' ?\n ?', chr(10), 'g'), ' ' || chr(10)), '')
    END;

-- A word that people write where they have nothing to say (variable `placeholders`), or punctuation alone. No pattern: a
-- pattern inside of a lambda is compiled anew for every 2,048 rows (and `list_contains` or IN would become a join).
CREATE OR REPLACE TEMP MACRO is_placeholder(cell) AS
    strlen(cell) <= 20 AND (list_position(getvariable('placeholders'), lower(cell)) IS NOT NULL OR (strpos('-–—._?*/#!', left(cell, 1)) > 0 AND translate(cell, '-–—._?*/#!', '') = ''));

-- Letters and digits only, lower case, without accents: how names of places are compared.
CREATE OR REPLACE TEMP MACRO fold_name(cell) AS
    regexp_replace(lower(strip_accents(replace(cell, '&', ' and '))), '[^\p{L}\p{N}]+', '', 'g');

-- Names may be words that stand for nothing elsewhere: people are called Null and Test, a company X.
CREATE OR REPLACE TEMP MACRO may_be_a_name(cell) AS
    list_position(['X', 'Test', 'Testing', 'Na', 'NA', 'Nan', 'Nil', 'Null', 'None', 'Private', 'Call', 'TBA'], cell) IS NOT NULL;

CREATE OR REPLACE TEMP MACRO blank_characters() AS
    E' \t\n\r\f\x0b\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000';

-- Whether a cell lost more than white space when it was cleaned.
CREATE OR REPLACE TEMP MACRO lost_more_than_blanks(received, cell) AS
    translate(nfc_normalize(received), blank_characters(), '') <> translate(coalesce(cell, ''), blank_characters(), '');

-- What is wrong with a cell of plain text, and what is left of it.
CREATE OR REPLACE TEMP MACRO text_fault(received, cell, is_nothing, most) AS
    CASE
        WHEN received IS NULL THEN NULL
        WHEN cell IS NOT NULL AND is_nothing THEN 'placeholder_value'
        WHEN strlen(cell) > most AND length(cell) > most THEN 'value_truncated'
        WHEN received <> cell AND lost_more_than_blanks(received, cell) THEN 'control_characters_removed'
    END;

CREATE OR REPLACE TEMP MACRO text_value(fault, cell, most) AS
    CASE WHEN fault IS NULL THEN cell WHEN fault = 'placeholder_value' THEN NULL
        WHEN fault = 'value_truncated' THEN left(cell, most) ELSE cell END;

-- Codes of cells whose meaning was kept.
CREATE OR REPLACE TEMP MACRO is_repair(code) AS code = 'control_characters_removed' OR code = 'leading_zero_restored';

-- Whether the cell as received must be kept in `extra`: all that was not merely repaired.
CREATE OR REPLACE TEMP MACRO is_set_aside(fault) AS
    NOT is_repair(fault.code) AND NOT (fault.column_name = 'region' AND fault.code = 'invalid_region');

-- `extra` with the cells that were set aside under their columns' names; what is there already stays.
CREATE OR REPLACE TEMP MACRO with_set_aside(extra, faults) AS
    CASE
        WHEN len(faults) = 0 THEN extra
        WHEN extra IS NULL THEN to_json(map_from_entries(list_transform(faults, lambda fault: {
            'k': fault.column_name, 'v': fault.value})))::VARCHAR
        ELSE json_merge_patch(coalesce(extra, '{}')::JSON, to_json(map_from_entries(list_transform(faults, lambda fault: {
            'k': CASE WHEN json_exists(coalesce(extra, '{}')::JSON, '$.' || fault.column_name) THEN fault.column_name || ' (as received)' ELSE fault.column_name END,
            'v': fault.value}))))::VARCHAR
    END;

-- What `cells.sql` found in a cell, or how it was received: the clean cell, what is kept of it, its fault. Most rows have
-- no such finding, and CASE spares them the look-up.
CREATE OR REPLACE TEMP MACRO cell_of(cells, name, received) AS
    CASE WHEN cells IS NULL THEN received WHEN map_contains(cells, name) THEN cells[name].cell ELSE received END;

CREATE OR REPLACE TEMP MACRO kept_of(cells, name, received) AS
    CASE WHEN cells IS NULL THEN received WHEN map_contains(cells, name) THEN cells[name].kept ELSE received END;

CREATE OR REPLACE TEMP MACRO fault_of(cells, name) AS CASE WHEN cells IS NOT NULL THEN cells[name].fault END;
