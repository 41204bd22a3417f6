// Names of files as agents write them.
// - one that is taken has no step that leads anywhere else: no empty one, no . and no ..;
// - it is its own name: normal once is normal for good;
// - it is no longer than what was written, and other spellings of it mean the same.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.h"
#include "orchestration/locks/path.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using namespace switchyard::orchestration;
  using fuzz::Require;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const Result<std::string> path = NormalPath(text);
  if (!path) {
    Require(path.error().code == Code::kInvalid, "what is refused is the caller's");
    Require(path.error().message.size() < 200, "and told shortly");
    return 0;
  }
  Require(!path->empty() && path->size() <= text.size(), "it has a name that is no longer");
  for (std::string_view rest = *path;;) {
    const std::size_t end = rest.find('/');
    const std::string_view step = rest.substr(0, end);
    Require(!step.empty() && step != "." && step != ".." && !step.contains('\\'),
            "each step leads down");
    if (end == std::string_view::npos) break;
    rest.remove_prefix(end + 1);
  }
  Require(NormalPath(*path) == *path, "normal once is normal for good");
  Require(path->size() + 8 > kMaxPath || NormalPath("/x/.././" + *path + "/") == *path,
          "other spellings mean the same");
  return 0;
}
