-- Grain: raw row. Inputs: view raw. Columns: received (the row as it came), needs_care, cells.
-- Most rows have nothing unusual in their texts: one pattern over the whole row finds that out, and only the others
-- (`needs_care`) pay for a look at each cell: `cells` holds, of the columns in the order below, the
-- clean cell, its fault (a reason code or null) and what is kept of it.
WITH joined AS (
    SELECT raw AS received, concat_ws(chr(57344), '',
        external_id, lead_source, campaign, job_title, company_name, industry, street, city, product_interest,
        first_name, last_name, full_name, email, phone, linkedin_url, website, consent, '') AS row_text
    FROM raw
),

judged AS (
    SELECT received, strlen(row_text) > 500 OR regexp_matches(row_text,
        '[\x{00}-\x{1f}\x{7f}-\x{a0}\x{ad}\x{300}-\x{36f}\x{1100}-\x{11ff}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{212a}\x{212b}\x{3000}\x{3099}\x{309a}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]|  |\x{e000} | \x{e000}|\x{e000}\x{e000}|\x{e000}(?i:[-–—._?*/#!]+|#?n[/.\\]a[.!]?|na|nan|nil|null|\\n|none|none given|[(\[<](?:blank|none|null|empty|unknown|not set)[)\]>]|unknown|undefined|unbekannt|inconnu|keine?|tb[ad]|x{1,5}|test|testing|call me|call|no (?:phone|email|e-mail|mail|number|name|company|website)|not (?:provided|available|applicable|set|given|specified|known|disclosed)|withheld|private|#(?:ref|value|name|div/0|null|num)[!?])\x{e000}'
    ) AS needs_care
    FROM joined
)

SELECT received, needs_care, CASE WHEN needs_care THEN list_transform(list_transform(list_transform([
        {'received': received.external_id, 'is_name': false},
        {'received': received.lead_source, 'is_name': false},
        {'received': received.campaign, 'is_name': false},
        {'received': received.job_title, 'is_name': false},
        {'received': received.company_name, 'is_name': true},
        {'received': received.industry, 'is_name': false},
        {'received': received.street, 'is_name': false},
        {'received': received.city, 'is_name': false},
        {'received': received.product_interest, 'is_name': false},
        {'received': received.first_name, 'is_name': true},
        {'received': received.last_name, 'is_name': true},
        {'received': received.full_name, 'is_name': true},
        {'received': received.email, 'is_name': false},
        {'received': received.phone, 'is_name': false},
        {'received': received.linkedin_url, 'is_name': false},
        {'received': received.website, 'is_name': false},
        {'received': received.consent, 'is_name': false}
    ],
    lambda text: {'received': text.received, 'is_name': text.is_name, 'cell': clean_cell(text.received)}),
    lambda text: {'cell': text.cell, 'fault': text_fault(
        text.received, text.cell, is_placeholder(text.cell) AND NOT (text.is_name AND may_be_a_name(text.cell)), 500)}),
    lambda text: {'cell': text.cell, 'fault': text.fault, 'kept': text_value(text.fault, text.cell, 500)}) END AS cells
FROM judged
