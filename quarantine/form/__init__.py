"""The web form: the page that the one-time link in a notice opens, where the sender answers a hold.

GET never acts: link scanners, previews and prefetching open links.  Only a POST from the page itself answers, once.
"""
