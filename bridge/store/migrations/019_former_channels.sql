-- Channels that were given another id, by their former ones; in a chain of changes each leads to the last.

CREATE TABLE former_channels (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  now TEXT NOT NULL,
  PRIMARY KEY (team, channel)
);
