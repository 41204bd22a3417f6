// The way of an Inspection through JSON.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "mcp/json_string.h"
#include "mcp/json_tokens.h"
#include "mcp/message.h"
#include "policies/lib/guardrail_chars.h"
#include "policies/lib/guardrail_inspection.h"
#include "policies/lib/result_block.h"

namespace switchyard::policies::guardrail {
namespace {

template <std::size_t kSize>
bool IsOneOf(std::string_view name, const std::array<std::string_view, kSize>& names) {
  return std::ranges::find(names, name) != names.end();
}

// Members of a client's params that hold what somebody wrote.
constexpr std::array<std::string_view, 5> kWritten = {"arguments", "argument", "context",
                                                      "inputResponses", "uri"};
// Members of what a server sends that are handed back to it, word for word.
constexpr std::array<std::string_view, 4> kOpaque = {"requestState", "taskId", "nextCursor",
                                                     "progressToken"};

}  // namespace

class Walk {
 public:
  Walk(Inspection& inspection, std::string_view json, Region region, const mcp::JsonTokens& tokens)
      : inspection_(inspection),
        rules_(inspection.rules_),
        json_(json),
        region_(region),
        tokens_(tokens) {}

  std::optional<std::string> Run() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) Step(i);
    if (!changed_) return std::nullopt;
    out_.append(json_.substr(written_));
    return std::move(out_);
  }

 private:
  struct Frame {
    bool object;
    bool free;  // what is in it is somebody's own, whatever the names of its members
    bool skipped;
    bool meta;            // the members of `_meta`
    std::size_t begin;    // token of the bracket
    bool at_key = false;  // a string here is a name
    std::uint32_t index = 0;
    std::string_view key = {};        // raw
    std::optional<bool> binary = {};  // a picture or a sound, if that is known
  };

  std::string_view Raw(std::size_t i) const {
    return json_.substr(tokens_.begin(i), tokens_.EndBefore(i + 1) - tokens_.begin(i));
  }
  static std::string NameOf(std::string_view raw) {
    return raw.find('\\') == std::string_view::npos ? std::string(raw.substr(1, raw.size() - 2))
                                                    : TextOfString(raw);
  }

  void Step(std::size_t i) {
    const char c = tokens_.at(i);
    switch (c) {
      case '{':
      case '[': Open(i, c == '{'); return;
      case '}':
      case ']': frames_.pop_back(); return;
      case ',':
        ++frames_.back().index;
        frames_.back().at_key = frames_.back().object;
        return;
      case ':': frames_.back().at_key = false; return;
      case '"':
        if (!frames_.empty() && frames_.back().at_key) {
          Key(i);
        } else {
          Value(i);
        }
        return;
      default:
        if (Is(c, kDigit)) Number(i);
    }
  }

  void Open(std::size_t i, bool object) {
    Frame frame{.object = object,
                .free = region_ == Region::kError,
                .skipped = false,
                .meta = false,
                .begin = i,
                .at_key = object};
    if (!frames_.empty()) {
      const Frame& outer = frames_.back();
      const std::string name = outer.object ? NameOf(outer.key) : std::string();
      frame.meta = !outer.free && name == "_meta";
      frame.free =
          outer.free || frame.meta || region_ == Region::kParams || name == "structuredContent";
      frame.skipped = outer.skipped || IsSkipped(name);
    }
    frames_.push_back(std::move(frame));
  }

  // Whether a member of the innermost object is none of what is looked at.
  bool IsSkipped(std::string_view name) const {
    const Frame& in = frames_.back();
    if (in.skipped) return true;
    if (region_ == Region::kParams) {
      return frames_.size() == 1 && in.object && !IsOneOf(name, kWritten);
    }
    if (!in.object) return false;
    if (in.meta) {
      return name.starts_with("io.modelcontextprotocol/") || name.starts_with("switchyard/");
    }
    return !in.free && IsOneOf(name, kOpaque);
  }

  // Whether the innermost object says that it is a picture or a sound. Looked up once an object,
  // and not deeper than blocks of content stand.
  bool IsBinary() {
    constexpr std::size_t kDeepest = 9;
    Frame& in = frames_.back();
    if (in.binary) return *in.binary;
    in.binary = false;
    if (frames_.size() > kDeepest) return false;
    for (std::size_t i = in.begin + 1; i + 2 < tokens_.size() && tokens_.at(i) == '"';) {
      const std::size_t end = tokens_.Skip(i + 2, mcp::Message::kMaxDepth);
      if (NameOf(Raw(i)) == "type") {
        const std::string_view type = Raw(i + 2);
        in.binary = type == R"("image")" || type == R"("audio")";
      }
      if (end == 0 || end >= tokens_.size() || tokens_.at(end) != ',') break;
      i = end + 1;
    }
    return *in.binary;
  }

  void Key(std::size_t i) {
    frames_.back().key = Raw(i);
    const Frame& in = frames_.back();
    if (!rules_.keys || in.skipped || !in.free) return;
    const std::string name = NameOf(in.key);
    // Numbered, lest two names become one.
    const std::optional<std::string> anew =
        inspection_.Look(name, {.member = {},
                                .pointer = [this] { return Pointer(frames_.size() - 1); },
                                .fixed = false,
                                .numbered = true});
    if (anew) Replace(i, *anew);
  }

  void Value(std::size_t i) {
    std::string name;
    if (!frames_.empty() && frames_.back().object) {
      name = NameOf(frames_.back().key);
      if (IsSkipped(name)) return;
      const Frame& in = frames_.back();
      if (!in.free && (name == "blob" || (name == "data" && IsBinary()))) return;
    } else if (!frames_.empty() && frames_.back().skipped) {
      return;
    }
    const std::string_view raw = Raw(i);
    const bool escaped = raw.find('\\') != std::string_view::npos;
    const std::string unescaped = escaped ? TextOfString(raw) : std::string();
    const std::string_view text = escaped ? unescaped : raw.substr(1, raw.size() - 2);
    const bool uri = region_ == Region::kParams && frames_.size() == 1 && name == "uri";
    const std::optional<std::string> anew =
        inspection_.Look(text, {.member = name,
                                .pointer = [this] { return Pointer(frames_.size()); },
                                .fixed = uri,
                                .numbered = false});
    if (anew) Replace(i, *anew);
  }

  void Number(std::size_t i) {
    const std::string_view raw = Raw(i);
    if (frames_.empty() || frames_.back().skipped || raw.size() < 14 || raw.size() > 19) return;
    if (frames_.back().object && IsSkipped(NameOf(frames_.back().key))) return;
    if (RunEnd(raw, 0, kDigit) != raw.size()) return;
    const std::optional<std::string> anew =
        inspection_.Look(raw, {.member = {},
                               .pointer = [this] { return Pointer(frames_.size()); },
                               .fixed = false,
                               .numbered = false});
    if (anew) Replace(i, *anew);
  }

  void Replace(std::size_t i, std::string_view text) {
    out_.append(json_.substr(written_, tokens_.begin(i) - written_)).append(mcp::Quote(text));
    written_ = tokens_.EndBefore(i + 1);
    changed_ = true;
  }

  // Of the value that is being looked at, within the outermost `depth` brackets. Names are a
  // peer's, so what is to be found in one is not shown.
  std::string Pointer(std::size_t depth) const {
    constexpr std::size_t kMostParts = 16, kLongestName = 64;
    std::string pointer;
    for (std::size_t i = 0; i < depth; ++i) {
      if (i == kMostParts) return pointer + "/...";
      const Frame& frame = frames_[i];
      if (!frame.object) {
        pointer.append("/").append(std::to_string(frame.index));
        continue;
      }
      const std::string name = NameOf(frame.key);
      if (name.size() > kLongestName || !rules_.finder->Find(name).empty()) {
        pointer += "/...";
        continue;
      }
      pointer += '/';
      for (const char c : name) {
        if (c == '~') {
          pointer += "~0";
        } else if (c == '/') {
          pointer += "~1";
        } else {
          pointer += c;
        }
      }
    }
    return pointer;
  }

  Inspection& inspection_;
  const Rules& rules_;
  const std::string_view json_;
  const Region region_;
  const mcp::JsonTokens& tokens_;
  std::vector<Frame> frames_;
  std::string out_;
  std::size_t written_ = 0;
  bool changed_ = false;
};

Inspection::Outcome Inspection::Json(std::string_view json, Region region) {
  const auto tokens = mcp::JsonTokens::Find(json);
  bool too_deep = false;
  if (!tokens ||
      tokens->FindFault(mcp::Message::kMaxDepth, too_deep) != mcp::JsonTokens::kNoFault) {
    return {.broken = true};
  }
  return {.broken = false, .anew = Walk(*this, json, region, *tokens).Run()};
}

}  // namespace switchyard::policies::guardrail
