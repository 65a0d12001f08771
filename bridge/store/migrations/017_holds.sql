-- What is kept whatever its policy says: portals (`team/channel`) and people (a Slack id or a Matrix user id).

CREATE TABLE holds (
  team TEXT NOT NULL,
  subject TEXT NOT NULL,
  reason TEXT NOT NULL,
  since BIGINT NOT NULL,
  actor TEXT NOT NULL,
  PRIMARY KEY (team, subject)
);
