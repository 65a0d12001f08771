"""What the bridge remembers: one database, the ledger of what was relayed, the directory of who and where."""
