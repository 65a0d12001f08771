-- In what rooms depart from their policies, since when, and whether the room was told of it.

CREATE TABLE departures (
  portal BIGINT NOT NULL,
  type TEXT NOT NULL,
  detail TEXT NOT NULL,
  since BIGINT NOT NULL,
  told BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (portal, type)
);
