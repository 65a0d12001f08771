-- When a session was last read with, in milliseconds, to the day; 0 where nobody noted it yet.

ALTER TABLE inbound_sessions ADD COLUMN used_at BIGINT NOT NULL DEFAULT 0;
