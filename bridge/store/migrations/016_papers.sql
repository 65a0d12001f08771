-- Plans and reports that commands made, for the console: each is a whole page of HTML.

CREATE TABLE papers (
  id @SERIAL@,
  kind TEXT NOT NULL,
  title TEXT NOT NULL,
  outcome TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  made_by TEXT NOT NULL,
  page TEXT NOT NULL
);

CREATE INDEX papers_by_kind ON papers (kind, id);
