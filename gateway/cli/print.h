// What the subcommands show, as pure functions. Servers are not trusted with the user's terminal:
// control characters are taken out of whatever they wrote, except line ends and tabs where a text
// is shown as a whole.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace switchyard::cli {

std::string OneLine(std::string_view text);    // no control characters, white space folded
std::string Printable(std::string_view text);  // no control characters but \n and \t

// Up to the first full stop that ends a sentence, or the first line.
std::string FirstSentence(std::string_view text);

// "read-only, idempotent"; "" where a tool gives no hints. Untrusted unless its server is.
std::string Hints(const boost::json::object& tool);

// A server's name, the prefix of its tools, and what stands between that and their own names.
struct Prefix {
  std::string server;
  std::string prefix;
  std::string_view separator = "__";
};
// Whose a tool is: by the longest matching prefix; without any, what stands before "__"; else "".
std::string ServerOf(std::string_view tool, std::span<const Prefix> prefixes);

// Whose each tool of a list result is: as its `_meta` says, else by prefixes.
std::vector<std::string> ServersOf(const boost::json::object& result,
                                   std::span<const Prefix> prefixes);

// Tool, server, hints and first sentence, in columns; at most `width` wide, 0 = as wide as it gets.
// `servers`: one for each tool.
std::string ToolTable(const boost::json::array& tools, std::span<const std::string> servers,
                      std::size_t width);

// The servers that a list result's `_meta` names as missing, a line each; "" = none.
std::string MissingServers(const boost::json::object& result);
// What it names as refused at present (circuit breakers), the same way.
std::string Outages(const boost::json::object& result);

// What a tool gave: texts as they are, structured content as JSON unless a text says the same,
// other content as one line each. `plain`: control characters of texts are kept (stdout is no
// terminal).
std::string CallText(const boost::json::object& result, bool plain);

// "3/10 reading" of a progress notification.
std::string ProgressText(const boost::json::object& params);

// Up to three tools that a user may have meant: with another prefix, containing the word, or near.
std::vector<std::string> NearestTools(std::string_view word, std::span<const std::string> tools);

}  // namespace switchyard::cli
