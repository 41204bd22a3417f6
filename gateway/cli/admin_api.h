// The admin API of a running gateway, for subcommands.
#pragma once

#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

#include "cli/client.h"
#include "cli/reach.h"

namespace switchyard::cli {

struct AdminOptions {
  Where where;
  std::string token;  // of the admin API; "" = that of the configuration, if any
};

// The body of a 200; nullopt: `exit` says how it ended, and `err` why. `what`: it is about, for
// people. Starts nothing.
std::optional<std::string> AskAdmin(const AdminOptions& options, Plain plain, std::string_view what,
                                    std::ostream& err, int& exit);

// The objects of the list `name` in such a body, each to `show`; `none` is told where there is
// none.
int ShowList(std::string_view body, std::string_view name, std::string_view none,
             const std::function<void(const boost::json::object&)>& show, std::ostream& out,
             std::ostream& err);

// A member as one line of text; "" = it is none.
std::string Text(const boost::json::object& object, std::string_view key);

}  // namespace switchyard::cli
