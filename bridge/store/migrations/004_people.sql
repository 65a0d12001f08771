-- Slack's people and their own Matrix accounts, who agreed to what, and what admins did.

CREATE TABLE accounts (
  team TEXT NOT NULL,
  user_id TEXT NOT NULL,
  account TEXT NOT NULL,
  how TEXT NOT NULL,
  linked_at BIGINT NOT NULL,
  linked_by TEXT NOT NULL,
  PRIMARY KEY (team, user_id),
  UNIQUE (team, account)
);

CREATE TABLE consents (
  team TEXT NOT NULL,
  user_id TEXT NOT NULL,
  given_at BIGINT NOT NULL,
  given_by TEXT NOT NULL,
  PRIMARY KEY (team, user_id)
);

CREATE TABLE audit (
  id @SERIAL@,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  act TEXT NOT NULL,
  subject TEXT NOT NULL,
  detail TEXT NOT NULL
);

CREATE TABLE quieted (
  room TEXT NOT NULL,
  account TEXT NOT NULL,
  before TEXT NOT NULL,
  PRIMARY KEY (room, account)
);

ALTER TABLE reactions ADD COLUMN sender TEXT NOT NULL DEFAULT '';
