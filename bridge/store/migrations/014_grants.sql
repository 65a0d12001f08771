-- People who act in Slack by their own hand: the tokens they gave (sealed), the consents under way, and as whom we did what.

CREATE TABLE grants (
  team TEXT NOT NULL,
  user_id TEXT NOT NULL,
  account TEXT NOT NULL,
  room TEXT NOT NULL,
  state TEXT NOT NULL,
  token TEXT NOT NULL,
  refresh TEXT NOT NULL,
  expires_at BIGINT NOT NULL,
  renewing BIGINT NOT NULL DEFAULT 0,
  reason TEXT NOT NULL DEFAULT '',
  changed_at BIGINT NOT NULL,
  PRIMARY KEY (team, user_id)
);

CREATE TABLE grants_told (
  team TEXT NOT NULL,
  user_id TEXT NOT NULL,
  about TEXT NOT NULL,
  PRIMARY KEY (team, user_id, about)
);

CREATE TABLE consent_steps (
  secret TEXT PRIMARY KEY,
  step TEXT NOT NULL,
  workspace TEXT NOT NULL,
  account TEXT NOT NULL,
  room TEXT NOT NULL,
  browser TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

ALTER TABLE links ADD COLUMN hand TEXT NOT NULL DEFAULT '';

ALTER TABLE reactions ADD COLUMN hand TEXT NOT NULL DEFAULT '';
