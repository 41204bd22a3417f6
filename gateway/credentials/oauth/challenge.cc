#include "credentials/oauth/challenge.h"

#include <algorithm>
#include <optional>

#include "base/http/fields.h"

namespace switchyard::credentials::oauth {
namespace {

constexpr std::size_t kMostHeader = 8192;
constexpr std::size_t kMostScopes = 100;

bool IsTokenChar(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos;
}

// RFC 9110 section 11.6.1: schemes, each with parameters, all separated by commas.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  void SkipBlanks() {
    while (!text_.empty() && (text_.front() == ' ' || text_.front() == '\t')) Drop(1);
  }
  void SkipToNext() {
    while (!text_.empty() &&
           (text_.front() == ' ' || text_.front() == '\t' || text_.front() == ','))
      Drop(1);
  }
  bool Take(char c) {
    SkipBlanks();
    if (text_.empty() || text_.front() != c) return false;
    Drop(1);
    return true;
  }
  std::string_view Word() {
    std::size_t size = 0;
    while (size < text_.size() && IsTokenChar(text_[size])) ++size;
    const std::string_view word = text_.substr(0, size);
    Drop(size);
    return word;
  }
  std::optional<std::string> Value() {
    SkipBlanks();
    if (!Take('"')) return std::string(Word());
    std::string value;
    while (!text_.empty() && text_.front() != '"') {
      if (text_.front() == '\\') Drop(1);
      if (text_.empty()) return std::nullopt;
      value.push_back(text_.front());
      Drop(1);
    }
    if (text_.empty()) return std::nullopt;
    Drop(1);
    return value;
  }
  void SkipTo(char c) {
    const std::size_t at = text_.find(c);
    Drop(std::min(at, text_.size()));
  }

 private:
  void Drop(std::size_t size) { text_.remove_prefix(size); }

  std::string_view text_;
};

void Note(Challenge& challenge, std::string_view name, std::string value) {
  const auto is = [name](std::string_view word) { return http::EqualsIgnoreCase(name, word); };
  if (is("resource_metadata") && challenge.resource_metadata.empty()) {
    challenge.resource_metadata = std::move(value);
  } else if (is("error") && challenge.error.empty()) {
    challenge.error = std::move(value);
  } else if (is("scope") && challenge.scopes.empty()) {
    challenge.scopes = SplitScopes(value);
  }
}

}  // namespace

Challenge ReadChallenge(std::string_view header) {
  Challenge challenge;
  Reader reader(header.substr(0, kMostHeader));
  bool ours = false;  // the parameters that come are of the scheme Bearer
  for (reader.SkipToNext(); !reader.at_end(); reader.SkipToNext()) {
    const std::string_view word = reader.Word();
    if (word.empty()) {  // no header that we know of
      reader.SkipTo(',');
      continue;
    }
    if (!reader.Take('=')) {  // a scheme
      ours = http::EqualsIgnoreCase(word, "Bearer");
      challenge.bearer = challenge.bearer || ours;
      continue;
    }
    std::optional<std::string> value = reader.Value();
    if (!value) break;
    if (ours) Note(challenge, word, std::move(*value));
  }
  return challenge;
}

bool HasScopes(const std::vector<std::string>& granted, const std::vector<std::string>& wanted) {
  return std::ranges::all_of(wanted, [&granted](const std::string& scope) {
    return std::ranges::find(granted, scope) != granted.end();
  });
}

std::vector<std::string> SplitScopes(std::string_view text) {
  std::vector<std::string> scopes;
  while (!text.empty() && scopes.size() < kMostScopes) {
    const std::string_view word = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), word.size() + 1));
    if (word.empty()) continue;
    const bool good = std::ranges::all_of(
        word, [](char c) { return c > 0x20 && c < 0x7F && c != '"' && c != '\\'; });
    if (!good) break;
    if (std::ranges::find(scopes, word) == scopes.end()) scopes.emplace_back(word);
  }
  return scopes;
}

std::string JoinScopes(const std::vector<std::string>& scopes) {
  std::string text;
  for (const std::string& scope : scopes) text += (text.empty() ? "" : " ") + scope;
  return text;
}

std::vector<std::string> UnionOf(std::vector<std::string> a, const std::vector<std::string>& b) {
  for (const std::string& scope : b) {
    if (a.size() < kMostScopes && std::ranges::find(a, scope) == a.end()) a.push_back(scope);
  }
  return a;
}

}  // namespace switchyard::credentials::oauth
