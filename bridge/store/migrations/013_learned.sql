-- What `causeway selftest` learned of each workspace that only the real Slack could tell.

CREATE TABLE learned (
  team TEXT NOT NULL,
  question TEXT NOT NULL,
  answer TEXT NOT NULL,
  learned_at BIGINT NOT NULL,
  PRIMARY KEY (team, question)
);
