"""The closed lists of the contract: the legal values that columns, rules and stages share.

Does not belong here: what a sales-ops person may edit (``data/rules``).
"""

EMAIL_KINDS = ("business", "free", "disposable", "role")
EMAIL_STATUSES = (
    "valid", "invalid", "accept_all", "webmail", "disposable", "spam_trap", "abuse", "do_not_mail",
)  # fmt: skip
SENIORITIES = ("c_level", "vp", "director", "manager", "senior", "staff", "junior")
JOB_FUNCTIONS = (
    "executive", "sales", "marketing", "engineering", "it", "finance", "hr", "operations", "legal", "product",
    "customer_success", "procurement", "medical", "education", "design", "data", "other",
)  # fmt: skip
EMPLOYEE_BANDS = ("1-10", "11-50", "51-200", "201-500", "501-1000", "1001-5000", "5001-10000", "10001+")
REVENUE_BANDS = ("<1M", "1M-10M", "10M-50M", "50M-100M", "100M-500M", "500M-1B", "1B+")
NAICS_SECTORS = {
    "11": "Agriculture, Forestry, Fishing and Hunting",
    "21": "Mining, Quarrying, and Oil and Gas Extraction",
    "22": "Utilities",
    "23": "Construction",
    "31-33": "Manufacturing",
    "42": "Wholesale Trade",
    "44-45": "Retail Trade",
    "48-49": "Transportation and Warehousing",
    "51": "Information",
    "52": "Finance and Insurance",
    "53": "Real Estate and Rental and Leasing",
    "54": "Professional, Scientific, and Technical Services",
    "55": "Management of Companies and Enterprises",
    "56": "Administrative and Support and Waste Management and Remediation Services",
    "61": "Educational Services",
    "62": "Health Care and Social Assistance",
    "71": "Arts, Entertainment, and Recreation",
    "72": "Accommodation and Food Services",
    "81": "Other Services (except Public Administration)",
    "92": "Public Administration",
}
UNKNOWN_INDUSTRY = "unknown"

SCORE_PARTS = (
    "completeness", "freshness", "source_reliability", "engagement",
    "segment_fit", "budget_fit", "intent", "historical", "conversion",
)  # fmt: skip
QUALITY_PARTS = SCORE_PARTS[:4]
FIT_PARTS = ("segment_fit", "budget_fit")
INTEREST_PARTS = ("engagement", "intent", "freshness")

PRIORITIES = ("P1", "P2", "P3", "P4")
SIZE_SEGMENTS = ("micro", "small", "mid_market", "enterprise", "unknown")
