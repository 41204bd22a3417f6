#include "policies/lib/arguments.h"

#include <cstddef>
#include <optional>
#include <string>

namespace switchyard::policies {

using json_schema::JsonDoc;

const JsonDoc::Read& ReadArguments(std::string_view raw) {
  constexpr std::size_t kKept = std::size_t{64} << 10;  // of memory for texts
  struct Last {
    std::string text;  // `read` borrows it
    std::optional<JsonDoc::Read> read;
  };
  static thread_local Last last;
  if (raw.empty()) raw = "{}";
  if (last.read && last.text == raw) return *last.read;
  last.read.reset();
  if (last.text.capacity() > kKept) last.text = std::string();
  last.text = raw;
  last.read.emplace(JsonDoc::Parse(last.text));
  return *last.read;
}

}  // namespace switchyard::policies
