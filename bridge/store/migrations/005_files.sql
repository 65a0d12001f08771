-- Slack's files: what became of each, whichever message shows it. Addresses hold no token; sizes are in bytes, `told` by
-- Slack and `seen` on the way. One that is promised is brought over by an import, which says until when it is at it; one
-- that is tokened was named with the token of an export, which is stored nowhere; one that is noticed was given up once,
-- so that messages may show a notice in its place.

CREATE TABLE files (
  n @SERIAL@,
  team TEXT NOT NULL,
  id TEXT NOT NULL,
  url TEXT NOT NULL,
  thumbnail TEXT NOT NULL,
  tokened BIGINT NOT NULL DEFAULT 0,
  name TEXT NOT NULL,
  mimetype TEXT NOT NULL,
  told BIGINT NOT NULL,
  seen BIGINT NOT NULL DEFAULT 0,
  sha256 TEXT NOT NULL DEFAULT '',
  mxc TEXT NOT NULL DEFAULT '',
  state TEXT NOT NULL,
  reason TEXT NOT NULL DEFAULT '',
  tries BIGINT NOT NULL DEFAULT 0,
  promised BIGINT NOT NULL DEFAULT 0,
  noticed BIGINT NOT NULL DEFAULT 0,
  UNIQUE (team, id)
);
CREATE INDEX files_waiting ON files (n) WHERE state = 'waiting';
CREATE INDEX files_absent ON files (n) WHERE state = 'absent';
CREATE INDEX files_counts ON files (team, state, told, seen);
CREATE INDEX files_late ON files (n) WHERE state = 'here' AND noticed = 1;
CREATE INDEX links_part ON links (part) WHERE part <> '';

CREATE TABLE fetching (
  team TEXT PRIMARY KEY,
  until BIGINT NOT NULL
);

-- What was brought over until now did not know its workspace: with several, it is brought again when it is asked for.
INSERT INTO files (team, id, url, thumbnail, name, mimetype, told, seen, mxc, state)
SELECT workspaces.team, SUBSTR(media.source, 7), '', '', '', media.mimetype, media.size, media.size, media.target, 'here'
FROM media CROSS JOIN workspaces
WHERE media.source LIKE 'slack:F%' AND media.source NOT LIKE 'slack:F%/%' AND (SELECT COUNT(*) FROM workspaces) = 1;
DELETE FROM media WHERE source LIKE 'slack:F%' AND source NOT LIKE 'slack:F%/%';
