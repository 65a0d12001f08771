-- Bringing history over: which source, how far each of its channels is, and the records that could not be taken.

CREATE TABLE imports (
  id @SERIAL@,
  team TEXT NOT NULL,
  source TEXT NOT NULL,
  selection TEXT NOT NULL,
  state TEXT NOT NULL,
  as_of TEXT NOT NULL DEFAULT '',
  told TEXT NOT NULL DEFAULT '{}',
  started_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  finished_at BIGINT
);

CREATE TABLE import_channels (
  import BIGINT NOT NULL,
  channel TEXT NOT NULL,
  queue TEXT NOT NULL,
  name TEXT NOT NULL,
  place BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  cursor TEXT NOT NULL DEFAULT '',
  records BIGINT NOT NULL DEFAULT 0,
  taken BIGINT NOT NULL DEFAULT 0,
  admitted BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (import, queue)
);

CREATE TABLE quarantine (
  id @SERIAL@,
  import BIGINT NOT NULL,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  place TEXT NOT NULL,
  reason TEXT NOT NULL,
  raw TEXT NOT NULL,
  found_at BIGINT NOT NULL,
  UNIQUE (team, channel, place, reason)
);

-- Up to which place in the order of all rows a portal's channel may be walked while its history is brought over, and
-- what the channel is: empty for a channel, dm, group_dm, or history for the room that holds the past of another one.
ALTER TABLE portals ADD COLUMN history BIGINT NOT NULL DEFAULT 0;
ALTER TABLE portals ADD COLUMN kind TEXT NOT NULL DEFAULT '';

-- When a reaction was set or taken back (Slack's ts): a source that is older than that says nothing against it.
ALTER TABLE reactions ADD COLUMN as_of TEXT NOT NULL DEFAULT '';
ALTER TABLE reactions ADD COLUMN removed BIGINT NOT NULL DEFAULT 0;
