"""The Slack edge: what arrives is only admitted; what leaves is limited, named and translated.

arriving   socket · events_api        → admit(payload), acknowledged after the commit
leaving    client · files → web       → limits → Slack; every failure comes back as a branch of `bridge.errors`
"""
