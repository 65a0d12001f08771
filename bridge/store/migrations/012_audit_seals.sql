-- The chain over the audit log: each entry's seal is made of the entry and the seal before it.

CREATE TABLE audit_seals (
  n @SERIAL@,
  entry BIGINT NOT NULL UNIQUE,
  previous TEXT NOT NULL UNIQUE,
  seal TEXT NOT NULL
);
