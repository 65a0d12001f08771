-- End-to-end encryption. Whatever is secret here is sealed with the key of the configuration (bridge.matrix.encryption).

CREATE TABLE key_check (
  id BIGINT PRIMARY KEY,
  sealed TEXT NOT NULL
);

CREATE TABLE own_devices (
  user_id TEXT PRIMARY KEY,
  device_id TEXT NOT NULL,
  account TEXT NOT NULL,
  signing TEXT NOT NULL,
  published BIGINT NOT NULL DEFAULT 0,
  since TEXT NOT NULL DEFAULT ''
);

CREATE TABLE olm_sessions (
  owner TEXT NOT NULL,
  their_key TEXT NOT NULL,
  session_id TEXT NOT NULL,
  session TEXT NOT NULL,
  used_at BIGINT NOT NULL,
  PRIMARY KEY (owner, their_key, session_id)
);

CREATE TABLE tracked (
  user_id TEXT PRIMARY KEY,
  stale BIGINT NOT NULL,
  master_key TEXT NOT NULL DEFAULT ''
);

CREATE TABLE their_devices (
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  curve25519 TEXT NOT NULL,
  ed25519 TEXT NOT NULL,
  signed BIGINT NOT NULL,
  PRIMARY KEY (user_id, device_id)
);

CREATE TABLE encrypted_rooms (
  room TEXT PRIMARY KEY,
  period_ms BIGINT NOT NULL,
  messages BIGINT NOT NULL
);

CREATE TABLE outbound_sessions (
  owner TEXT NOT NULL,
  room TEXT NOT NULL,
  session_id TEXT NOT NULL,
  session TEXT NOT NULL,
  made_at BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (owner, room)
);

CREATE TABLE outbound_shares (
  owner TEXT NOT NULL,
  room TEXT NOT NULL,
  session_id TEXT NOT NULL,
  user_id TEXT NOT NULL,
  device_id TEXT NOT NULL,
  curve25519 TEXT NOT NULL,
  PRIMARY KEY (owner, room, user_id, device_id)
);

CREATE TABLE inbound_sessions (
  room TEXT NOT NULL,
  session_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  sender_key TEXT NOT NULL,
  signing_key TEXT NOT NULL,
  first_index BIGINT NOT NULL,
  session TEXT NOT NULL,
  PRIMARY KEY (room, session_id, sender)
);

CREATE TABLE read_indices (
  room TEXT NOT NULL,
  session_id TEXT NOT NULL,
  message_index BIGINT NOT NULL,
  event_id TEXT NOT NULL,
  PRIMARY KEY (room, session_id, message_index)
);

CREATE TABLE awaited_keys (
  room TEXT NOT NULL,
  session_id TEXT NOT NULL,
  sender TEXT NOT NULL,
  inbox_seq BIGINT NOT NULL,
  PRIMARY KEY (room, session_id, inbox_seq)
);

CREATE TABLE file_keys (
  mxc TEXT PRIMARY KEY,
  sealed TEXT NOT NULL
);
