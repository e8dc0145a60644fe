-- Keys of identity: 64 bits of MD5 over kind and value, the same on any machine and version (DuckDB's own hash is not).

CREATE OR REPLACE TEMP MACRO signed_64(bits) AS
    (bits & 9223372036854775807::UBIGINT)::BIGINT + (bits >> 63)::BIGINT * (-9223372036854775808)::BIGINT;

CREATE OR REPLACE TEMP MACRO identity_bits(kind, value) AS md5_number_lower(kind || chr(31) || value);

-- A telephone number is a number: its digits beside the kind, which spares the hash and keeps neighbours together.
CREATE OR REPLACE TEMP MACRO phone_bits(e164) AS e164[2:]::UBIGINT + 3458764513820540928;

-- A name's letters and digits in small letters without accents: how identity compares names.
CREATE OR REPLACE TEMP MACRO name_letters(name) AS
    CASE
        WHEN regexp_full_match(name, '[a-zA-Z]*') THEN lower(name)
        WHEN regexp_full_match(name, '[a-zA-Z ]*') THEN replace(lower(name), ' ', '')
        ELSE regexp_replace(lower(strip_accents(name)), '[^\p{L}\p{N}]+', '', 'g')
    END;

-- The tag of a telephone key from the hash of the family name: never 0 for a lead that has one, 0 for one without.
CREATE OR REPLACE TEMP MACRO name_tag(bits) AS
    CASE
        WHEN bits IS NULL THEN 0::INTEGER
        WHEN bits & 4294967295 = 2147483648 THEN 1::INTEGER
        ELSE ((bits & 4294967295)::BIGINT - 2147483648)::INTEGER
    END;

-- A company's name without its legal form.
CREATE OR REPLACE TEMP MACRO without_legal_form(company) AS
    CASE
        WHEN NOT contains(company, ' ') AND NOT contains(company, ',') THEN company
        ELSE regexp_replace(company, '(?i)(?:[ ,.]+(?:inc|incorporated|llc|l\.l\.c|llp|lp|ltd|limited|plc|corp|corporation|co|company|gmbh(?: & co\.? kg)?|ag|kg|ug|se|ohg|e\.?k|sa|s\.a|sas|sarl|s\.?r\.?l|spa|s\.p\.a|bv|b\.v|nv|n\.v|ab|as|a/s|aps|oy|oyj|pty|pte|sdn bhd|sl|s\.l|kft|sp\. z o\.o|d\.o\.o|kk|pvt|private))+\.?$', '')
    END;
