-- Messages that wait for a moderator or for the end of quiet hours, each as it came last: the row that stands for it is
-- its source, and goes the way again once there is a verdict.

CREATE TABLE held (
  id @SERIAL@,
  portal BIGINT NOT NULL,
  name TEXT NOT NULL,
  direction TEXT NOT NULL,
  queue TEXT NOT NULL,
  source TEXT NOT NULL,
  raw TEXT NOT NULL,
  place BIGINT NOT NULL,
  rank TEXT NOT NULL,
  wait TEXT NOT NULL,
  author TEXT NOT NULL,
  rule TEXT NOT NULL,
  subject TEXT NOT NULL,
  digest TEXT NOT NULL,
  thread TEXT,
  approved BIGINT NOT NULL,
  since BIGINT NOT NULL,
  until BIGINT NOT NULL,
  verdict TEXT NOT NULL DEFAULT '',
  decided_by TEXT NOT NULL DEFAULT '',
  noted BIGINT NOT NULL DEFAULT 0,
  room TEXT NOT NULL DEFAULT '',
  notice TEXT NOT NULL DEFAULT '',
  UNIQUE (portal, name)
);

CREATE INDEX held_due ON held (verdict, wait, until);
CREATE INDEX held_notices ON held (notice);
