"""The words that the generated leads are made of: names, companies, places, titles, sentences.

Belongs here: lists. Does not belong here: how they are put together (``messy_leads``). All of it is made up here;
places, area codes and postal prefixes belong together as they do on a map, so that look-ups find something.
"""

from __future__ import annotations


def _words(text: str) -> list[str]:
    return text.split()


FIRST_NAMES = _words("""
James Mary Robert Patricia John Jennifer Michael Linda David Elizabeth William Barbara Richard Susan Joseph Jessica
Thomas Sarah Christopher Karen Charles Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark Margaret Donald Ashley
Steven Kimberly Andrew Emily Paul Donna Joshua Michelle Kenneth Carol Kevin Amanda Brian Melissa Timothy Deborah
Ronald Stephanie Jason Rebecca George Sharon Edward Laura Jeffrey Cynthia Ryan Dorothy Jacob Amy Nicholas Kathleen
Gary Angela Eric Shirley Jonathan Emma Stephen Brenda Larry Pamela Justin Nicole Scott Anna Brandon Samantha Benjamin
Katherine Samuel Christine Gregory Helen Alexander Debra Patrick Rachel Frank Carolyn Raymond Janet Jack Maria Dennis
Olivia Jerry Heather Tyler Diane Aaron Julie José Zoë Łukasz Søren Renée Björn Chloé Jürgen Þóra Nuño İpek Françoise
Aarav Priya Rahul Ananya Wei Yuki Haruto Minh Thị Oluwaseun Chidi Amara Fatima Omar Yusuf Leila Mehmet Ayşe Dmitri
Anastasia Katarzyna Zsófia Matteo Giulia Luca Sofía Mateo Valentina Thiago Inês Siobhán Niamh Anne-Marie Jean-Luc
""")

_NAME_STARTS = _words("""
Ander Barn Beck Black Brad Bren Cald Carl Chap Craw Dun East Edger Fair Fitz Gold Graf Green Hall Hamp Har Hart Hol
Ken Kings Lang Lind Mac Mar Mill Nor Oak Pem Quin Rad Rich Ros Sand Shel Stan Stern Thorn Under Wal Wes Whit Win Wood
""")
_NAME_ENDS = _words("son man ton field ley well ford berg worth wick stein land more hurst gren ner dale by ham croft")
_NAMES_AS_THEY_ARE = """
Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez Gonzalez Wilson Anderson
Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris Sanchez Clark Ramirez Lewis Robinson Walker Young
Allen King Wright Scott Torres Nguyen Hill Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter
Müller Schröder García Núñez Nguyễn Åkesson Østergaard Kowalczyk Çelik O'Brien O’Connor D'Angelo Lefèvre Süß Ó Briain
Van der Berg 王 李 Tanaka Kim Singh Patel Okonkwo Haddad Ivanova Dvořák Szabó Popescu Silva Ferreira
"""
LAST_NAMES = [
    *_NAMES_AS_THEY_ARE.replace("Ó Briain", "Ó_Briain").replace("Van der Berg", "Van_der_Berg").split(),
    *(start + end for start in _NAME_STARTS for end in _NAME_ENDS),
]
LAST_NAMES = [name.replace("_", " ") for name in LAST_NAMES]

COMPANY_STARTS = _words("""
Acme Apex Atlas Aurora Beacon Birch Blue Bridge Bright Cedar Civic Clear Cobalt Copper Coral Crest Crown Delta Dyna
Eagle Echo Ember Ever Falcon First Forge Fox Fusion Gate Glacier Global Grand Granite Green Harbor Haven High Horizon
Hudson Icon Inter Iron Jade Juniper Keystone Lake Laurel Liberty Lumen Lunar Maple Meridian Metro Mid Mont Noble North
Nova Ocean Olive Omni Onyx Opal Orbit Osprey Pacific Paragon Peak Pine Pioneer Polar Prime Quantum Quest Rapid Raven
Red Ridge River Rock Royal Sage Salt Sierra Signal Silver Sky Solar South Spark Spring Star Sterling Stone Summit Sun
Swift Terra Titan Trail Tri True Union Unity Urban Valley Vector Vertex Vista Vital West White Wild Wind Zenith Zeta
""")
COMPANY_ENDS = _words("""
Analytics Apparel Automation Bakery Bank Biotech Builders Capital Care Chemicals Clinic Cloud Components Construction
Consulting Credit Dairy Data Dental Design Digital Distribution Dynamics Education Electric Energy Engineering
Equipment Farms Fashion Finance Fitness Foods Freight Furniture Games Gas Health Hotels Housing Imaging Industries
Insurance Interiors Labs Learning Legal Logistics Machinery Marine Marketing Materials Media Medical Metals Mining
Mobility Motors Networks Oil Optics Organics Packaging Partners Payments Pharma Plastics Plumbing Power Press
Printing Properties Publishing Realty Research Resorts Retail Robotics Roofing Schools Security Semiconductor Shipping
Software Solutions Staffing Steel Storage Studios Supply Systems Technologies Telecom Textiles Tools Toys Trading
Transport Travel Utilities Ventures Warehousing Water Wellness Wholesale Wines Works
""")
COMPANY_FORMS = [
    "",
    " Inc",
    " Inc.",
    ", Inc.",
    " LLC",
    " Ltd",
    " Corp.",
    " & Co",
    " GmbH",
    " Group",
    " Holdings",
    " S.A.",
]
DOMAIN_ENDS = [".com", ".com", ".com", ".com", ".net", ".org", ".io", ".co", ".us", ".biz"]
FREE_MAIL = ["gmail.com", "gmail.com", "gmail.com", "yahoo.com", "outlook.com", "hotmail.com", "aol.com", "icloud.com"]

INDUSTRIES = (
    """
Software|Information Technology|IT services|SaaS|Computer Software|Internet|Telecommunications|Banking
Financial Services
Insurance|Accounting|Investment Management|Healthcare|Hospital & Health Care|Medical Devices
Pharmaceuticals|Dental
Manufacturing|Machinery|Automotive|Chemicals|Plastics|Textiles|Food & Beverages|Food Production|Construction
Building Materials|Architecture & Planning|Real Estate|Commercial Real Estate|Property Management|Retail|E-commerce
Wholesale|Wholesale Distribution|Logistics|Transportation/Trucking|Warehousing|Airlines|Education|Higher Education
E-Learning|Primary schools|Government|Public Administration|Nonprofit|Legal Services|Law Practice|Management Consulting
Marketing & Advertising|Staffing and Recruiting|Hospitality|Restaurants|Hotels|Travel|Media|Publishing|Entertainment
Gaming|Agriculture|Farming|Mining & Metals|Oil & Energy|Oil and gas|Utilities|Renewables|Environmental Services
Security|Misc
""".replace("\n", "|")
    .strip("|")
    .split("|")
)

_RANKS = (
    """
Chief|VP|Vice President of|SVP,|Director of|Senior Director,|Head of|Sr. Manager|Manager,|Senior|Lead|Regional|Junior
Assistant|Associate|Interim|Group|Principal|Global Head of|Deputy
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
_FIELDS = (
    """
Sales|Marketing|Operations|Engineering|Finance|Human Resources|Information Technology|Procurement|Product|Data
Customer Success|Legal|Business Development|Supply Chain|Design|Quality|Research|Security|Facilities|Analytics
Accounting|Communications|Purchasing|Demand Generation|Software Development|Training|Compliance|Strategy
""".replace("\n", "|")
    .strip("|")
    .split("|")
)
JOB_TITLES = [
    "CEO", "CTO", "CFO", "COO", "CMO", "CIO", "Owner", "Founder", "Co-Founder & CEO", "President", "Managing Director",
    "Software Engineer", "Office Manager", "Buyer", "Physician", "Teacher", "Attorney", "Consultant", "Analyst",
    "Geschäftsführer", "Directeur général", "Recruiter", "Account Executive", "Student", "Retired",
    *(f"{rank} {field}" for rank in _RANKS for field in _FIELDS),
]  # fmt: skip

STREETS = [
    f"{name} {kind}"
    for name in _words("Main Oak Maple Cedar Elm Pine Park Lake Hill Washington Lincoln Church River Market Mill")
    for kind in _words("St Ave Rd Blvd Ln Dr Way Ct Pl Street Avenue")
]

# City, state as people write it, first three digits of the ZIP, area code, country as people write it.
US_PLACES = [
    ("Boston", "MA", "021", "617"), ("Providence", "Rhode Island", "029", "401"), ("Hartford", "CT", "061", "860"),
    ("Newark", "NJ", "071", "973"), ("Portland", "Maine", "041", "207"), ("Manchester", "NH", "031", "603"),
    ("New York", "NY", "100", "212"), ("Buffalo", "New York", "142", "716"), ("Philadelphia", "PA", "191", "215"),
    ("Pittsburgh", "Pa.", "152", "412"), ("Baltimore", "MD", "212", "410"), ("Washington", "DC", "200", "202"),
    ("Richmond", "VA", "232", "804"), ("Charlotte", "NC", "282", "704"), ("Raleigh", "North Carolina", "276", "919"),
    ("Atlanta", "GA", "303", "404"), ("Miami", "FL", "331", "305"), ("Tampa", "Florida", "336", "813"),
    ("Nashville", "TN", "372", "615"), ("Columbus", "OH", "432", "614"), ("Cleveland", "Ohio", "441", "216"),
    ("Detroit", "MI", "482", "313"), ("Indianapolis", "IN", "462", "317"), ("Chicago", "IL", "606", "312"),
    ("Milwaukee", "WI", "532", "414"), ("Minneapolis", "MN", "554", "612"), ("St. Louis", "Missouri", "631", "314"),
    ("Kansas City", "MO", "641", "816"), ("Omaha", "NE", "681", "402"), ("Dallas", "TX", "752", "214"),
    ("Houston", "Texas", "770", "713"), ("Austin", "tx", "787", "512"), ("Denver", "CO", "802", "303"),
    ("Phoenix", "AZ", "850", "602"), ("Albuquerque", "NM", "871", "505"), ("Las Vegas", "Nevada", "891", "702"),
    ("Los Angeles", "CA", "900", "213"), ("San Diego", "California", "921", "619"),
    ("San Francisco", "CA", "941", "415"),
    ("Sacramento", "Calif.", "958", "916"), ("Portland", "OR", "972", "503"), ("Seattle", "WA", "981", "206"),
]  # fmt: skip
US_NAMES = ["United States", "USA", "US", "U.S.A.", "united states", "United States of America", ""]

# City, region, postal code (a # becomes a digit), country as people write it, calling code and national number.
OTHER_PLACES = [
    ("London", "England", "SW1A 1AA", "United Kingdom", "+44 20 7### ####"),
    ("Manchester", "", "M1 1AE", "UK", "+44 161 4## ####"), ("Berlin", "", "101##", "Germany", "+49 30 2#######"),
    ("München", "Bayern", "803##", "Deutschland", "+49 89 3#######"),
    ("Paris", "", "750##", "France", "+33 1 42 ## ## ##"),
    ("Lyon", "", "690##", "france", "+33 6 12 ## ## ##"), ("Toronto", "ON", "M5V 2T6", "Canada", "+1 416 4##-####"),
    ("Montréal", "Québec", "H3A 1A1", "CA", "+1 514 3##-####"),
    ("Sydney", "NSW", "2000", "Australia", "+61 2 9### ####"),
    ("Madrid", "", "280##", "España", "+34 91 4## ## ##"), ("Milano", "", "201##", "Italy", "+39 02 4#######"),
    ("Amsterdam", "", "1012 AB", "The Netherlands", "+31 20 6## ####"),
    ("Zürich", "ZH", "80##", "Switzerland", "+41 44 2## ## ##"),
    ("Bengaluru", "Karnataka", "5600##", "India", "+91 98### #####"),
    ("São Paulo", "SP", "01310-100", "Brasil", "+55 11 9#### ####"),
]  # fmt: skip

CAMPAIGNS = [f"{what} {when}" for what in ("Webinar", "Trade fair", "Retargeting", "newsletter", "Google Ads – brand",
             "Partner", "Whitepaper", "cold outreach", "Référencement", "Spring promo") for when in
             ("2025 Q3", "2025 Q4", "2026 Q1", "2026 Q2", "2026 Q3")]  # fmt: skip
MESSAGES = [
    "Please call me back, we want to buy this quarter and need a quote for our team",
    "We are comparing three vendors and would like a demo next week",
    "Just browsing, no budget yet; please keep me on the list for later this year",
    "Can you send pricing for a rollout to all of our locations, including support and training?",
    "Looking to replace our current system before the contract ends; security review is required",
    "Not interested in calls, e-mail only please. What integrations do you have?",
    "Need it urgently: our present supplier stopped, decision is made and the budget approved",
    "Downloaded your guide, very helpful! Do you offer discounts for schools and non-profits?",
    "Met you at the fair in spring; the colleague promised a sample and I never got it 😕",
    "Wir suchen eine Lösung für unsere Außendienstmitarbeiter, bitte um Rückruf",
    "Nous cherchons un partenaire pour l’année prochaine, merci de nous contacter",
    "Is there an on-premise edition, and does it run without access to the internet?",
]
BAD_PHONES = ["n/a", "none", "-2237", "12345", "555-CALL-NOW", "0000000000", "call me", "+1 (000) 000-0000", "1", "?"]
