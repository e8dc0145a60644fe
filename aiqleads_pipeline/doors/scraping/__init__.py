"""Scraping: pages of allowed sites become drops of leads.

Belongs here: asking politely (``robots``, ``crawl``), reading pages (``page``, ``json_ld``, ``markup``,
``schema_leads``), and handing the leads over as a drop like any other (``harvest``). Does not belong here: which sites
(``rules.scrapes``), connections (``resources.http``), anything that happens to a lead afterwards.
"""
