-- What a room shows of its channel besides messages: purpose, whether it is archived, and what is pinned in Slack.

ALTER TABLE portals ADD COLUMN purpose TEXT NOT NULL DEFAULT '';
ALTER TABLE portals ADD COLUMN archived BIGINT NOT NULL DEFAULT 0;

CREATE TABLE pins (
  portal BIGINT NOT NULL,
  ts TEXT NOT NULL,
  PRIMARY KEY (portal, ts)
);
