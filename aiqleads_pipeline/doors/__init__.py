"""The doors: how leads come in over HTTP. One stateless service; all state is in the store.

Belongs here: what speaks HTTP. Does not belong here: what a lead must be (``contract``, ``stages``) and how it is
kept (``resources.store``). ``app`` puts the parts together, ``gate`` stands in front of every one of them.
"""
