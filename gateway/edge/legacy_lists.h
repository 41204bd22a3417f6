// How far the client of a legacy session knows its endpoint's lists (Session::lists): it is told on
// the session's stream, which may break, be silent, or not be there at all, and whoever opens the
// next one goes on from there (docs/decisions/0072). The worker that opened the session keeps it;
// any other asks that one when a stream begins.
#pragma once

#include <memory>

#include "core/news.h"
#include "edge/sessions.h"

namespace switchyard::edge {

// Brings what this worker knows of it up to date, before a stream of the session listens.
Task<void> LearnLists(std::shared_ptr<Session> session, Sessions& sessions);

// The client was told of changes up to here.
void NoteLists(Session& session, Sessions& sessions, const ListsKnown& lists);

// It may have missed any of what it was told.
void ForgetLists(Session& session, Sessions& sessions);

}  // namespace switchyard::edge
