-- Grain: raw row with an unusual text. Key: row_number. Input: view raw. Columns: row_number, and cells by their column's name:
-- the clean cell, its fault (a reason code or null) and what is kept of it; cells that are fine as received are left out.
-- Most rows have nothing unusual in their texts: one pattern over the whole row finds that out, and only the others pay
-- for a look at each cell, as rows of their own: a pattern within a lambda is compiled anew for every 2,048 rows.
WITH joined AS (
    SELECT *, concat_ws(chr(57344), '',
        external_id, lead_source, campaign, job_title, company_name, industry, street, city, product_interest,
        first_name, last_name, full_name, email, phone, linkedin_url, website, consent, '') AS row_text
    FROM raw
),

careful AS (
    SELECT *
    FROM joined
    WHERE strlen(row_text) > 500 OR regexp_matches(row_text,
        '[\x{00}-\x{1f}\x{7f}-\x{a0}\x{ad}\x{300}-\x{36f}\x{1100}-\x{11ff}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{212a}\x{212b}\x{3000}\x{3099}\x{309a}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]|  |\x{e000} | \x{e000}|\x{e000}\x{e000}|\x{e000}(?i:[-–—._?*/#!]+|#?n[/.\\]a[.!]?|na|nan|nil|null|\\n|none|none given|[(\[<](?:blank|none|null|empty|unknown|not set)[)\]>]|unknown|undefined|unbekannt|inconnu|keine?|tb[ad]|x{1,5}|test|testing|call me|call|no (?:phone|email|e-mail|mail|number|name|company|website)|not (?:provided|available|applicable|set|given|specified|known|disclosed)|withheld|private|#(?:ref|value|name|div/0|null|num)[!?])\x{e000}'
    )
),

long AS (
    SELECT row_number, unnest([
        {'column_name': 'external_id', 'received': external_id},
        {'column_name': 'lead_source', 'received': lead_source},
        {'column_name': 'campaign', 'received': campaign},
        {'column_name': 'job_title', 'received': job_title},
        {'column_name': 'company_name', 'received': company_name},
        {'column_name': 'industry', 'received': industry},
        {'column_name': 'street', 'received': street},
        {'column_name': 'city', 'received': city},
        {'column_name': 'product_interest', 'received': product_interest},
        {'column_name': 'first_name', 'received': first_name},
        {'column_name': 'last_name', 'received': last_name},
        {'column_name': 'full_name', 'received': full_name},
        {'column_name': 'email', 'received': email},
        {'column_name': 'phone', 'received': phone},
        {'column_name': 'linkedin_url', 'received': linkedin_url},
        {'column_name': 'website', 'received': website},
        {'column_name': 'consent', 'received': consent}
    ], recursive := true)
    FROM careful
),

cleaned AS (
    SELECT
        *,
        clean_cell(received) AS cell,
        column_name IN ('company_name', 'first_name', 'last_name', 'full_name') AS is_name
    FROM long
    WHERE received IS NOT NULL
),

judged AS (
    SELECT *, text_fault(received, cell, is_placeholder(cell) AND NOT (is_name AND may_be_a_name(cell)), 500) AS fault
    FROM cleaned
)

SELECT
    row_number,
    map_from_entries(list({
        'key': column_name, 'value': {'cell': cell, 'fault': fault, 'kept': text_value(fault, cell, 500)}})) AS cells
FROM judged
WHERE fault IS NOT NULL OR cell IS DISTINCT FROM received
GROUP BY row_number
