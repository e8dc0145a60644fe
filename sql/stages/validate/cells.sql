-- Grain: raw row. Key: lead_id. Inputs: view raw, table checked_places.
-- Every cell of text cleaned (`c_*`) beside the cell as received. Most rows have nothing unusual in them: one pattern over
-- the whole row finds that out, and only the others (`needs_care`) pay for a look at each cell.
WITH joined AS (
    SELECT *, concat_ws(chr(57344), '',
        external_id, lead_source, campaign, first_name, last_name, full_name, job_title, email, phone, linkedin_url,
        company_name, website, industry, street, city, region, postal_code, country, product_interest, consent, '') AS
        row_text
    FROM raw
),

judged AS (
    SELECT * EXCLUDE (row_text), strlen(row_text) > 500 OR regexp_matches(row_text,
        '[\x{00}-\x{1f}\x{7f}-\x{a0}\x{ad}\x{300}-\x{36f}\x{1100}-\x{11ff}\x{2000}-\x{200f}\x{2028}-\x{202f}\x{205f}-\x{206f}\x{212a}\x{212b}\x{3000}\x{3099}\x{309a}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]|  |\x{e000} | \x{e000}|\x{e000}(?i:[-–—._?*/#!]+|#?n[/.\\]a[.!]?|na|nan|nil|null|\\n|none|none given|[(\[<](?:blank|none|null|empty|unknown|not set)[)\]>]|unknown|undefined|unbekannt|inconnu|keine?|tb[ad]|x{1,5}|test|testing|call me|call|no (?:phone|email|e-mail|mail|number|name|company|website)|not (?:provided|available|applicable|set|given|specified|known|disclosed)|withheld|private|#(?:ref|value|name|div/0|null|num)[!?])\x{e000}'
    ) AS needs_care
    FROM joined
),

cleaned AS (
    SELECT *, CASE WHEN needs_care THEN list_transform([
        external_id, lead_source, campaign, first_name, last_name, full_name, job_title, email, phone, linkedin_url,
        company_name, website, industry, street, city, region, postal_code, country, product_interest, consent
    ], lambda cell: clean_cell(cell)) END AS cleaned_cells
    FROM judged
)

SELECT
    cleaned.* EXCLUDE (cleaned_cells),
    CASE WHEN needs_care THEN cleaned_cells[1] ELSE nullif(cleaned.external_id, '') END AS c_external_id,
    CASE WHEN needs_care THEN cleaned_cells[2] ELSE nullif(cleaned.lead_source, '') END AS c_lead_source,
    CASE WHEN needs_care THEN cleaned_cells[3] ELSE nullif(cleaned.campaign, '') END AS c_campaign,
    CASE WHEN needs_care THEN cleaned_cells[4] ELSE nullif(cleaned.first_name, '') END AS c_first_name,
    CASE WHEN needs_care THEN cleaned_cells[5] ELSE nullif(cleaned.last_name, '') END AS c_last_name,
    CASE WHEN needs_care THEN cleaned_cells[6] ELSE nullif(cleaned.full_name, '') END AS c_full_name,
    CASE WHEN needs_care THEN cleaned_cells[7] ELSE nullif(cleaned.job_title, '') END AS c_job_title,
    CASE WHEN needs_care THEN cleaned_cells[8] ELSE nullif(cleaned.email, '') END AS c_email,
    CASE WHEN needs_care THEN cleaned_cells[9] ELSE nullif(cleaned.phone, '') END AS c_phone,
    CASE WHEN needs_care THEN cleaned_cells[10] ELSE nullif(cleaned.linkedin_url, '') END AS c_linkedin_url,
    CASE WHEN needs_care THEN cleaned_cells[11] ELSE nullif(cleaned.company_name, '') END AS c_company_name,
    CASE WHEN needs_care THEN cleaned_cells[12] ELSE nullif(cleaned.website, '') END AS c_website,
    CASE WHEN needs_care THEN cleaned_cells[13] ELSE nullif(cleaned.industry, '') END AS c_industry,
    CASE WHEN needs_care THEN cleaned_cells[14] ELSE nullif(cleaned.street, '') END AS c_street,
    CASE WHEN needs_care THEN cleaned_cells[15] ELSE nullif(cleaned.city, '') END AS c_city,
    CASE WHEN needs_care THEN cleaned_cells[16] ELSE nullif(cleaned.region, '') END AS c_region,
    CASE WHEN needs_care THEN cleaned_cells[17] ELSE nullif(cleaned.postal_code, '') END AS c_postal_code,
    CASE WHEN needs_care THEN cleaned_cells[18] ELSE nullif(cleaned.country, '') END AS c_country,
    CASE WHEN needs_care THEN cleaned_cells[19] ELSE nullif(cleaned.product_interest, '') END AS c_product_interest,
    CASE WHEN needs_care THEN cleaned_cells[20] ELSE nullif(cleaned.consent, '') END AS c_consent,
    clean_lines(message) AS c_message,
    place.own_country, place.home_country, place.phone_country, place.region_code, place.us_region_code, place.calling_code, place.national_prefix
FROM cleaned
-- Every pair of texts is in the table once, so no row is lost or doubled.
LEFT JOIN checked_places AS place
    ON place.country_received = coalesce(cleaned.country, '') AND place.region_received = coalesce(cleaned.region, '')
