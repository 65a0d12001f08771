-- Up to when everything that a homeserver had to tell has come, in milliseconds: rooms are read back from there.

CREATE TABLE heard (
  homeserver TEXT PRIMARY KEY,
  at BIGINT NOT NULL
);
