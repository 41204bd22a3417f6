// JSON that stays as its writer wrote it, within values that we build: numbers of any size, the
// order of members, every byte. Pure.
#pragma once

#include <string>
#include <string_view>

#include <boost/json.hpp>

namespace switchyard::orchestration {

// Stands for `raw`, which is JSON, where ToText() writes it. What it is for everyone else is a
// string that begins with a control character: no text of a client does, for Arguments refuses it.
boost::json::value Verbatim(std::string_view raw);

// A text of whatever characters, and so one that may begin as what is verbatim does.
boost::json::value Said(std::string_view text);

// `raw`, which is JSON, so that it can be put together anew: its objects and lists, and texts, null
// and truth values in them; numbers verbatim. What is no JSON, or is nested too deeply, is verbatim
// as a whole.
boost::json::value Kept(std::string_view raw);

// As boost::json::serialize() does, and what is verbatim as it is; fractions as people write them:
// 0.5 and 1.0, not 5E-1 and 1E0.
std::string ToText(const boost::json::value& value);

}  // namespace switchyard::orchestration
