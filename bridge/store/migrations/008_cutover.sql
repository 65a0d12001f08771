-- Moving channels to Matrix for good: how far each is, step by step, and who was told that a channel has moved.

CREATE TABLE cutovers (
  id @SERIAL@,
  portal BIGINT NOT NULL,
  phase TEXT NOT NULL,
  begun_at BIGINT NOT NULL,
  begun_by TEXT NOT NULL,
  frozen_at BIGINT,
  ended_at BIGINT
);
CREATE UNIQUE INDEX cutovers_open ON cutovers (portal) WHERE ended_at IS NULL;

CREATE TABLE cutover_steps (
  cutover BIGINT NOT NULL,
  step TEXT NOT NULL,
  part TEXT NOT NULL DEFAULT '',
  begun_at BIGINT NOT NULL,
  done_at BIGINT,
  actor TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (cutover, step, part)
);

CREATE TABLE told_of_move (
  portal BIGINT NOT NULL,
  person TEXT NOT NULL,
  PRIMARY KEY (portal, person)
);
