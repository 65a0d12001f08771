-- The notice that shows a channel's bookmarks; read_at is when they were asked for last.

CREATE TABLE bookmarks (
  portal BIGINT PRIMARY KEY,
  event_id TEXT NOT NULL DEFAULT '',
  digest TEXT NOT NULL DEFAULT '',
  pinned BIGINT NOT NULL DEFAULT 0,
  read_at BIGINT NOT NULL DEFAULT 0
);
