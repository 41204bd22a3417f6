#include "catalog/cursor.h"

#include <algorithm>
#include <charconv>

namespace switchyard::catalog {
namespace {

constexpr std::size_t kMaxToken = 256;  // ours are below 100; longer ones are not even decoded

Sealer::Key KeyOf(std::string_view bytes) {
  Sealer::Key key;
  if (bytes.size() != key.size()) return Sealer::RandomKey();
  std::ranges::copy(bytes, key.begin());
  return key;
}

bool ReadNumber(std::string_view text, std::uint64_t& number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

CursorSealer::CursorSealer(std::string_view key, std::string_view endpoint)
    : sealer_(KeyOf(key)), endpoint_(endpoint) {}

std::string CursorSealer::Purpose(std::string_view method) const {
  return std::string("cursor ").append(method).append(" ").append(endpoint_);
}

std::string CursorSealer::Seal(std::string_view method, Cursor cursor) const {
  return sealer_.Seal(Purpose(method),
                      std::to_string(cursor.revision) + '.' + std::to_string(cursor.offset));
}

std::optional<Cursor> CursorSealer::Open(std::string_view method, std::string_view token) const {
  if (token.size() > kMaxToken) return std::nullopt;
  const std::optional<std::string> text = sealer_.Open(Purpose(method), token);
  if (!text) return std::nullopt;
  const std::string_view view(*text);
  const std::size_t dot = view.find('.');
  Cursor cursor;
  if (dot == std::string_view::npos || !ReadNumber(view.substr(0, dot), cursor.revision) ||
      !ReadNumber(view.substr(dot + 1), cursor.offset)) {
    return std::nullopt;
  }
  return cursor;
}

}  // namespace switchyard::catalog
