-- The notice in each room that says where its messages go; digest names what it says, changes counts how often it did.

CREATE TABLE banners (
  portal BIGINT PRIMARY KEY,
  room TEXT NOT NULL,
  event_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  changes BIGINT NOT NULL
);
