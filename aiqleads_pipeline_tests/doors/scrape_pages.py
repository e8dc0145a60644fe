"""One person and one company, said in each of the three syntaxes."""

JSON_LD = """<script type="application/ld+json">{
"@context": "https://schema.org", "@graph": [
 {"@type": "Person", "@id": "#jane", "name": "Jane  Doe", "givenName": "Jane", "familyName": "Doe", "jobTitle": "CTO",
  "email": "mailto:jane@acme-tools.com", "telephone": "+1 415 555 0100",
  "sameAs": ["https://x.com/j", "https://www.linkedin.com/in/jane"], "worksFor": {"@id": "#acme"},
  "address": {"@type": "PostalAddress", "streetAddress": "1 Main St", "addressLocality": "Springfield",
              "addressRegion": "IL", "postalCode": "62701", "addressCountry": {"@type": "Country", "name": "US"}}},
 {"@type": "Organization", "@id": "#acme", "name": "Acme", "url": "https://acme-tools.com/",
  "numberOfEmployees": {"@type": "QuantitativeValue", "minValue": 51, "maxValue": 200}},
 {"@type": ["LocalBusiness", "Restaurant"], "@id": "#diner", "name": "Zoë's Diner",
  "contactPoint": {"@type": "ContactPoint", "telephone": "+1 212 555 0199", "email": "eat@zoes-diner.com"}},
 {"@type": "WebSite", "name": "Nobody", "email": "web@acme-tools.com"},
 {"@type": "Organization", "name": "Unreachable"}
]}</script>"""

MICRODATA = """
<div itemscope itemtype="https://schema.org/Person" itemid="#jane" itemref="more">
 <h1 itemprop="name">Jane <b>Doe</b></h1><meta itemprop="givenName" content="Jane">
 <meta itemprop="familyName" content="Doe"><p itemprop="jobTitle">
   CTO </p><a itemprop="email" href="mailto:jane@acme-tools.com?subject=Hello">write</a>
 <span itemprop="telephone">+1 415 555 0100</span>
 <a itemprop="sameAs" href="https://x.com/j">x</a><a itemprop="sameAs" href="https://www.linkedin.com/in/jane">in</a>
 <div itemprop="worksFor" itemscope itemtype="http://schema.org/Organization" itemid="#acme">
  <span itemprop="name">Acme</span><a itemprop="url" href="https://acme-tools.com/">Acme</a>
  <span itemprop="numberOfEmployees" itemscope itemtype="https://schema.org/QuantitativeValue">
   <meta itemprop="minValue" content="51"><data itemprop="maxValue" value="200">200</data></span></div></div>
<div id="more"><div itemprop="address" itemscope itemtype="https://schema.org/PostalAddress">
 <span itemprop="streetAddress">1 Main St</span><span itemprop="addressLocality">Springfield</span>
 <span itemprop="addressRegion">IL</span><span itemprop="postalCode">62701</span>
 <span itemprop="addressCountry" itemscope itemtype="https://schema.org/Country"><i itemprop="name">US</i></span>
</div></div>
<div itemscope itemtype="https://schema.org/LocalBusiness https://schema.org/Restaurant" itemid="#diner">
 <span itemprop="name">Zoë's Diner</span>
 <p itemprop="contactPoint" itemscope itemtype="https://schema.org/ContactPoint">
  <a itemprop="telephone" href="tel:+1%20212%20555%200199">call</a><span itemprop="email">eat@zoes-diner.com</span></p>
</div>
<div itemscope itemtype="https://schema.org/WebSite"><span itemprop="name">Nobody</span>
 <span itemprop="email">web@acme-tools.com</span></div>
<div itemscope itemtype="https://schema.org/Organization"><span itemprop="name">Unreachable</span></div>"""

RDFA = """
<div vocab="https://schema.org/"><div typeof="Person" resource="#jane">
 <h1 property="name">Jane <b>Doe</b></h1><meta property="givenName" content="Jane">
 <meta property="familyName" content="Doe"><p property="jobTitle">CTO</p>
 <a property="email" href="mailto:jane@acme-tools.com">write</a><span property="telephone">+1 415 555 0100</span>
 <a property="sameAs" href="https://x.com/j">x</a><a property="sameAs" href="https://www.linkedin.com/in/jane">in</a>
 <div property="worksFor" typeof="Organization" resource="#acme">
  <span property="name">Acme</span><a property="url" href="https://acme-tools.com/">Acme</a>
  <span property="numberOfEmployees" typeof="QuantitativeValue"><meta property="minValue" content="51">
   <meta property="maxValue" content="200"></span></div>
 <div rel="address"><div typeof="PostalAddress">
  <span property="streetAddress">1 Main St</span><span property="addressLocality">Springfield</span>
  <span property="addressRegion">IL</span><span property="postalCode">62701</span>
  <span property="addressCountry" typeof="Country"><i property="name">US</i></span></div></div></div></div>
<div prefix="s: http://schema.org/" typeof="s:LocalBusiness s:Restaurant" about="#diner">
 <span property="s:name">Zoë's Diner</span>
 <p property="s:contactPoint" typeof="schema:ContactPoint"><a property="s:telephone" href="tel:+12125550199"
  content="+1 212 555 0199">call</a><span property="schema:email">eat@zoes-diner.com</span></p></div>
<div vocab="http://schema.org/" typeof="WebSite"><span property="name">Nobody</span>
 <span property="email">web@acme-tools.com</span></div>
<div vocab="http://schema.org/" typeof="Organization"><span property="name">Unreachable</span></div>"""

BASE = "https://directory.example.com/team"
JANE = {
    "email": "jane@acme-tools.com", "phone": "+1 415 555 0100", "external_id": f"{BASE}#jane",
    "full_name": "Jane Doe", "first_name": "Jane", "last_name": "Doe", "job_title": "CTO",
    "linkedin_url": "https://www.linkedin.com/in/jane", "company_name": "Acme", "website": "https://acme-tools.com/",
    "employee_count": "51-200", "street": "1 Main St", "city": "Springfield", "region": "IL", "postal_code": "62701",
    "country": "US",
}  # fmt: skip
DINER = {
    "email": "eat@zoes-diner.com", "phone": "+1 212 555 0199", "external_id": f"{BASE}#diner",
    "company_name": "Zoë's Diner",
}  # fmt: skip
