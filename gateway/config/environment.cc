#include "config/environment.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

namespace switchyard::config {

std::optional<std::string> ProcessEnvironment::Get(const std::string& name) const {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr) return std::nullopt;
  return value;
}

std::expected<std::string, std::string> ProcessEnvironment::ReadFile(
    const std::string& path) const {
  const auto why = [] {
    std::string words = std::strerror(errno);
    if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z') words[0] += 'a' - 'A';
    return std::unexpected(std::move(words));
  };
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (!file) return why();
  std::string content;
  std::array<char, 16 * 1024> piece;
  while (true) {
    const std::size_t n = std::fread(piece.data(), 1, piece.size(), file.get());
    content.append(piece.data(), n);
    if (content.size() > kMaxFile) {
      return std::unexpected("larger than the limit of " + std::to_string(kMaxFile) + " bytes");
    }
    if (n == piece.size()) continue;
    if (std::ferror(file.get()) != 0) return why();
    return content;
  }
}

}  // namespace switchyard::config
