-- Signing in to the console: links that work once, and who is signed in. Both are kept as SHA-256 of what opens them.

CREATE TABLE sign_in_links (
  secret TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);

CREATE TABLE console_sessions (
  secret TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  form_token TEXT NOT NULL,
  expires_at BIGINT NOT NULL
);
