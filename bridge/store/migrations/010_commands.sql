-- What the bot asked somebody to confirm: one thing in each room, by a code of which only the digest is kept.

CREATE TABLE questions (
  account TEXT NOT NULL,
  room TEXT NOT NULL,
  code TEXT NOT NULL,
  body TEXT NOT NULL,
  asked_at BIGINT NOT NULL,
  PRIMARY KEY (account, room)
);

CREATE INDEX audit_actor ON audit (actor);
