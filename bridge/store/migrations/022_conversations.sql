-- Direct conversations of people who have connected their accounts: who takes part, which are closed and what was told
-- of that, rooms in which a ghost took up an invitation, and up to where each person's conversations were looked through.

CREATE TABLE conversation_people (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  user_id TEXT NOT NULL,
  PRIMARY KEY (team, channel, user_id)
);

CREATE TABLE closed_conversations (
  team TEXT NOT NULL,
  channel TEXT NOT NULL,
  reason TEXT NOT NULL,
  changes BIGINT NOT NULL,
  PRIMARY KEY (team, channel)
);

CREATE TABLE direct_rooms (
  room TEXT PRIMARY KEY,
  team TEXT NOT NULL
);

CREATE TABLE conversation_looks (
  team TEXT NOT NULL,
  user_id TEXT NOT NULL,
  gap BIGINT NOT NULL,
  looked_at BIGINT NOT NULL,
  PRIMARY KEY (team, user_id)
);
