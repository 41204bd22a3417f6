// The tables of coordination, as a step of the schema.
#pragma once

#include <string_view>

namespace switchyard::orchestration {

// An inbox is that of one registration of an agent: who registers the same id later has another
// one, and is neither the recipient nor the participant that the earlier one was. Times are
// milliseconds since 1970; 0 = never.
inline constexpr std::string_view kCoordinationTables = R"(
  INSERT INTO counter (name, value) VALUES
    ('inbox', 0), ('message', 0), ('session', 0), ('assistance', 0),
    ('sessions_open', 0), ('assistance_open', 0);

  -- What others think of an agent: how many, and the sum of their means in thousandths.
  ALTER TABLE agent ADD COLUMN raters BIGINT NOT NULL DEFAULT 0;
  ALTER TABLE agent ADD COLUMN ratings BIGINT NOT NULL DEFAULT 0;
  CREATE INDEX agent_team ON agent (team, id);

  CREATE TABLE inbox (
    agent  TEXT PRIMARY KEY,
    box    BIGINT NOT NULL,
    unread BIGINT NOT NULL
  );
  CREATE UNIQUE INDEX inbox_box ON inbox (box);

  CREATE TABLE message (
    id         BIGINT PRIMARY KEY,
    sender     TEXT NOT NULL,
    sender_box BIGINT NOT NULL,
    session    BIGINT NOT NULL,   -- 0 = none
    type       TEXT NOT NULL,
    rank       BIGINT NOT NULL,   -- the order in an inbox: 0 = of high priority, 2 = low
    reply_to   BIGINT NOT NULL,
    content    TEXT NOT NULL,     -- sealed when there is a key_id
    key_id     TEXT NOT NULL,
    recipients BIGINT NOT NULL,
    delivered  BIGINT NOT NULL,
    read_by    BIGINT NOT NULL,
    sent_at    BIGINT NOT NULL
  );
  CREATE INDEX message_sender ON message (sender_box, sent_at, id);
  CREATE INDEX message_sent ON message (sent_at);

  CREATE TABLE delivery (
    box          BIGINT NOT NULL,
    message      BIGINT NOT NULL,
    rank         BIGINT NOT NULL,
    session      BIGINT NOT NULL,
    delivered_at BIGINT NOT NULL,
    read_at      BIGINT NOT NULL,
    PRIMARY KEY (box, message)
  );
  CREATE INDEX delivery_unread ON delivery (box, rank, message) WHERE read_at = 0;
  CREATE INDEX delivery_read ON delivery (box, message) WHERE read_at > 0;
  CREATE INDEX delivery_session ON delivery (box, session, message) WHERE read_at > 0;
  CREATE INDEX delivery_message ON delivery (message, box);

  CREATE TABLE collaboration (
    id          BIGINT PRIMARY KEY,
    title       TEXT NOT NULL,
    description TEXT NOT NULL,
    context     TEXT NOT NULL,    -- JSON of an object
    coordinator TEXT NOT NULL,
    box         BIGINT NOT NULL,  -- the coordinator's
    creator     TEXT NOT NULL,
    outcome     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    updated_at  BIGINT NOT NULL,
    closed_at   BIGINT NOT NULL
  );
  CREATE INDEX collaboration_box ON collaboration (box) WHERE closed_at = 0;
  CREATE INDEX collaboration_creator ON collaboration (creator, id);
  CREATE INDEX collaboration_idle ON collaboration (updated_at) WHERE closed_at = 0;
  CREATE INDEX collaboration_closed ON collaboration (closed_at) WHERE closed_at > 0;
  CREATE TABLE participant (
    session BIGINT NOT NULL,
    box     BIGINT NOT NULL,
    agent   TEXT NOT NULL,
    PRIMARY KEY (session, box)
  );
  CREATE INDEX participant_box ON participant (box, session);

  CREATE TABLE assistance (
    id           BIGINT PRIMARY KEY,
    requester    TEXT NOT NULL,
    box          BIGINT NOT NULL,  -- the requester's
    description  TEXT NOT NULL,
    target       TEXT NOT NULL,    -- '' = by capabilities
    capabilities TEXT NOT NULL,
    urgency      BIGINT NOT NULL,
    task         BIGINT NOT NULL,
    status       BIGINT NOT NULL,
    helper       TEXT NOT NULL,
    helper_box   BIGINT NOT NULL,
    response     TEXT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT NOT NULL,
    closed_at    BIGINT NOT NULL
  );
  CREATE INDEX assistance_box ON assistance (box, id);
  CREATE INDEX assistance_open ON assistance (box) WHERE closed_at = 0;
  CREATE INDEX assistance_expiry ON assistance (expires_at) WHERE closed_at = 0;
  CREATE INDEX assistance_closed ON assistance (closed_at) WHERE closed_at > 0;
  CREATE TABLE asked (
    request BIGINT NOT NULL,
    box     BIGINT NOT NULL,
    agent   TEXT NOT NULL,
    place   BIGINT NOT NULL,
    reason  TEXT NOT NULL,        -- why this one was asked
    answer  TEXT NOT NULL,        -- asked, accepted, declined, answered
    open    BIGINT NOT NULL,      -- 1: the request is not over
    PRIMARY KEY (request, box)
  );
  CREATE INDEX asked_open ON asked (box, request) WHERE open = 1;

  -- One vote a voter, however often it votes.
  CREATE TABLE rating (
    box   BIGINT NOT NULL,        -- of whom they are about
    voter TEXT NOT NULL,
    votes BIGINT NOT NULL,
    total BIGINT NOT NULL,        -- thousandths
    PRIMARY KEY (box, voter)
  );
  CREATE TABLE evaluation (
    box          BIGINT NOT NULL,
    voter        TEXT NOT NULL,
    contribution TEXT NOT NULL,
    evaluator    TEXT NOT NULL,
    score        BIGINT,          -- thousandths
    criteria     TEXT NOT NULL,
    comments     TEXT NOT NULL,
    evaluated_at BIGINT NOT NULL,
    PRIMARY KEY (box, voter, contribution)
  );
  CREATE INDEX evaluation_at ON evaluation (evaluated_at);

  -- Who waits for whom (waits.h).
  CREATE TABLE wait_for (
    waiter   TEXT NOT NULL,
    holder   TEXT NOT NULL,
    kind     BIGINT NOT NULL,
    about    TEXT NOT NULL,
    until_at BIGINT NOT NULL,
    PRIMARY KEY (waiter, about, holder)
  );
  CREATE INDEX wait_for_holder ON wait_for (holder);
)";

}  // namespace switchyard::orchestration
