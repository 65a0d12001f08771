-- The spine: inbox and outbox, links and reactions, portals, workspaces, people, media.
-- Times are milliseconds since the epoch; truth values are 0 and 1. @SERIAL@ is the dialect's counting primary key.

CREATE TABLE workspaces (
  team TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  bot_user TEXT NOT NULL,
  bot TEXT NOT NULL,
  app TEXT NOT NULL,
  url TEXT NOT NULL DEFAULT '',
  space TEXT,
  gap BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE gaps (
  team TEXT NOT NULL,
  place BIGINT NOT NULL,
  PRIMARY KEY (team, place)
);

CREATE TABLE portals (
  id @SERIAL@,
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  room TEXT UNIQUE,
  direction TEXT NOT NULL,
  state TEXT NOT NULL,
  name TEXT NOT NULL DEFAULT '',
  topic TEXT NOT NULL DEFAULT '',
  private BIGINT NOT NULL DEFAULT 0,
  target TEXT NOT NULL DEFAULT 'create',
  caught_up BIGINT NOT NULL DEFAULT 0,
  trouble TEXT NOT NULL DEFAULT '',
  UNIQUE (team, channel)
);

CREATE TABLE inbox (
  seq @SERIAL@,
  direction TEXT NOT NULL,
  queue TEXT NOT NULL,
  source_key TEXT NOT NULL UNIQUE,
  raw TEXT NOT NULL,
  state BIGINT NOT NULL DEFAULT 0,
  place BIGINT,
  rank TEXT NOT NULL DEFAULT '',
  admitted_at BIGINT NOT NULL,
  settled_at BIGINT,
  reason TEXT NOT NULL DEFAULT ''
);
CREATE INDEX inbox_open ON inbox (direction, queue, (COALESCE(place, seq)), rank, seq) WHERE state < 2;
CREATE INDEX inbox_parked ON inbox (seq) WHERE state = 3;
CREATE INDEX inbox_parked_queue ON inbox (direction, queue) WHERE state = 3;
CREATE INDEX inbox_settled ON inbox (settled_at) WHERE state = 2;

CREATE TABLE outbox (
  inbox_seq BIGINT NOT NULL,
  n BIGINT NOT NULL,
  key TEXT NOT NULL,
  action TEXT NOT NULL,
  done BIGINT NOT NULL DEFAULT 0,
  progress TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (inbox_seq, n)
);

CREATE TABLE links (
  portal BIGINT NOT NULL,
  ts TEXT NOT NULL,
  part TEXT NOT NULL,
  event_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  sender TEXT NOT NULL,
  thread_ts TEXT,
  digest TEXT NOT NULL DEFAULT '',
  version TEXT NOT NULL DEFAULT '',
  deleted BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (portal, ts, part)
);
CREATE INDEX links_event ON links (portal, event_id);
CREATE INDEX links_thread ON links (portal, thread_ts, ts) WHERE thread_ts IS NOT NULL;

CREATE TABLE reactions (
  portal BIGINT NOT NULL,
  ts TEXT NOT NULL,
  emoji TEXT NOT NULL,
  person TEXT NOT NULL,
  event_id TEXT NOT NULL,
  origin TEXT NOT NULL,
  PRIMARY KEY (portal, ts, emoji, person)
);
CREATE INDEX reactions_event ON reactions (portal, event_id);

CREATE TABLE people (
  team TEXT NOT NULL,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  avatar_url TEXT NOT NULL DEFAULT '',
  is_bot BIGINT NOT NULL DEFAULT 0,
  shown TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (team, user_id)
);

CREATE TABLE members (
  user_id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  avatar TEXT NOT NULL DEFAULT ''
);

CREATE TABLE joined (
  room TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (room, user_id)
);

CREATE TABLE channels (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  name TEXT NOT NULL,
  PRIMARY KEY (team, channel)
);

CREATE TABLE names (
  team TEXT NOT NULL,
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (team, kind, id)
);

CREATE TABLE media (
  source TEXT PRIMARY KEY,
  target TEXT NOT NULL,
  mimetype TEXT NOT NULL DEFAULT '',
  size BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE requests (
  id @SERIAL@,
  kind TEXT NOT NULL,
  body TEXT NOT NULL,
  made_at BIGINT NOT NULL
);
