#include "config/written.h"

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <utility>

#include "base/digest.h"
#include "config/expand.h"
#include "config/redact.h"
#include "config/remembered.h"
#include "config/section.h"
#include "config/tree.h"

namespace switchyard::config {
namespace {

// How texts are read.
enum class Texts : std::uint8_t { kShown, kWhole };

class Reader {
 public:
  Reader(const Excerpt& file, const std::set<const Node*>& secrets, Texts how)
      : environment_(*file.environment),
        directory_(std::filesystem::path(file.file).parent_path()),
        secrets_(secrets),
        how_(how) {}

  // Of each node once: aliases let a few lines stand for many.
  const std::string& DigestOf(const Node& node, std::string_view key) {
    const bool url = key.ends_with("url");
    const auto [known, is_new] = known_.try_emplace({&node, url});
    if (!is_new) return known->second;
    std::string text = std::to_string(static_cast<int>(node.kind));
    if (node.kind == Node::Kind::kScalar) Add(text, TextOf(node, url));
    for (const NodePtr& item : node.items) Add(text, DigestOf(*item, ""));
    for (const Entry& entry : node.entries) {
      Add(text, entry.key);
      Add(text, DigestOf(*entry.value, entry.key));
    }
    return known->second = Sha256(text);
  }

 private:
  // With its length, so that no two trees read alike.
  static void Add(std::string& out, std::string_view text) {
    out.append(std::to_string(text.size())).append(1, ':').append(text);
  }

  std::string TextOf(const Node& scalar, bool url) const {
    const bool shown = how_ == Texts::kShown;
    if (shown && !url && secrets_.contains(&scalar)) return Secret::kMask;
    const auto read = Expand(scalar.text, directory_, environment_);
    if (!read) return "";
    return shown ? RedactUrl(read->shown) : read->value;
  }

  const Environment& environment_;
  const std::string directory_;
  const std::set<const Node*>& secrets_;
  const Texts how_;
  std::map<std::pair<const Node*, bool>, std::string> known_;
};

}  // namespace

WrittenFile WrittenIn(const Excerpt& file, const std::set<const Node*>& secrets) {
  Reader shown(file, secrets, Texts::kShown), whole(file, secrets, Texts::kWhole);
  WrittenFile written;
  for (const Entry& entry : file.map->entries) {
    if (entry.key.starts_with(kNobodys)) continue;
    written[entry.key] = {.shown = shown.DigestOf(*entry.value, entry.key),
                          .whole = whole.DigestOf(*entry.value, entry.key)};
  }
  return written;
}

}  // namespace switchyard::config
