-- Macros of the reading stage.
-- One member of a JSON object; null where the value is null, so that concat_ws leaves it out.
CREATE OR REPLACE MACRO json_member(header, value) AS header || ':' || to_json(value)::VARCHAR;
-- A JSON object of members; null where there are none.
CREATE OR REPLACE MACRO json_object_of(members) AS CASE WHEN members <> '' THEN '{' || members || '}' END;
-- How often a character of one byte occurs in a text.
CREATE OR REPLACE MACRO occurrences(value, mark) AS strlen(value) - strlen(replace(value, mark, ''));
-- A value without the kind prefix of an ad platform (`p:+49170...`, `l:123`).
CREATE OR REPLACE MACRO without_prefix(value, prefix) AS
    CASE WHEN starts_with(lower(value), prefix) THEN nullif(substr(value, length(prefix) + 1), '') ELSE value END;
-- Whether a value is what Meta fills into the leads of its testing tool.
CREATE OR REPLACE MACRO is_dummy_value(value) AS coalesce(starts_with(value, '<test lead: dummy data'), false);
-- A number as a person would write it: 12, not 12.0; all digits, not 1.2E+15.
CREATE OR REPLACE MACRO plain_number(value) AS
    CASE WHEN value = trunc(value) AND abs(value) < 9e15 THEN value::BIGINT::VARCHAR ELSE value::VARCHAR END;
-- A point in time as ISO 8601 in UTC, as ISO 8601 without a zone, and a date alone.
CREATE OR REPLACE MACRO iso_utc(value) AS strftime(value, '%Y-%m-%dT%H:%M:%SZ');
CREATE OR REPLACE MACRO iso_local(value) AS strftime(value, '%Y-%m-%dT%H:%M:%S');
