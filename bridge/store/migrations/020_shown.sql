-- The names of states of a message that the bridge made as its author, on either side, and that come back from there.

ALTER TABLE links ADD COLUMN shown TEXT NOT NULL DEFAULT '';
