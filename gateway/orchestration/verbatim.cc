#include "orchestration/verbatim.h"

#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace switchyard::orchestration {
namespace {

namespace json = boost::json;

constexpr char kMark = '\x01';
constexpr std::string_view kMarkWritten = "\\u0001";

// As deep as the views that we build, and no deeper: what is verbatim is not looked into.
void Write(const json::value& value, std::string& into) {  // NOLINT(misc-no-recursion)
  if (const json::string* text = value.if_string(); text != nullptr && text->starts_with(kMark)) {
    into.append(std::string_view(*text).substr(1));
    return;
  }
  if (const json::object* object = value.if_object()) {
    char before = '{';
    for (const json::key_value_pair& member : *object) {
      into.append(1, before).append(json::serialize(json::string(member.key()))).append(1, ':');
      Write(member.value(), into);
      before = ',';
    }
    into.append(object->empty() ? "{}" : "}");
    return;
  }
  if (const json::array* array = value.if_array()) {
    char before = '[';
    for (const json::value& item : *array) {
      into.append(1, before);
      Write(item, into);
      before = ',';
    }
    into.append(array->empty() ? "[]" : "]");
    return;
  }
  if (const double* number = value.if_double()) {
    into.append(fmt::format("{:#}", *number));
    return;
  }
  into.append(json::serialize(value));
}

// Builds what a parser finds, but for numbers, of which it keeps the text.
class Keeper {
 public:
  static constexpr std::size_t max_object_size = -1;  // NOLINT(readability-identifier-naming)
  static constexpr std::size_t max_array_size = -1;   // NOLINT(readability-identifier-naming)
  static constexpr std::size_t max_key_size = -1;     // NOLINT(readability-identifier-naming)
  static constexpr std::size_t max_string_size = -1;  // NOLINT(readability-identifier-naming)
  using Fault = boost::system::error_code;

  json::value Take() { return stack_.release(); }

  // What basic_parser calls. NOLINTBEGIN(readability-identifier-naming)
  bool on_document_begin(Fault&) {
    stack_.reset();
    return true;
  }
  bool on_document_end(Fault&) { return true; }
  bool on_array_begin(Fault&) { return true; }
  bool on_array_end(std::size_t size, Fault&) {
    stack_.push_array(size);
    return true;
  }
  bool on_object_begin(Fault&) { return true; }
  bool on_object_end(std::size_t size, Fault&) {
    stack_.push_object(size);
    return true;
  }
  bool on_key_part(std::string_view part, std::size_t, Fault&) { return Part(part); }
  bool on_key(std::string_view part, std::size_t, Fault&) {
    text_ += part;
    stack_.push_key(std::exchange(text_, {}));
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, Fault&) { return Part(part); }
  bool on_string(std::string_view part, std::size_t, Fault&) {
    text_ += part;
    return Push(Said(std::exchange(text_, {})));
  }
  bool on_number_part(std::string_view part, Fault&) { return Part(part); }
  bool on_int64(std::int64_t, std::string_view part, Fault&) { return Number(part); }
  bool on_uint64(std::uint64_t, std::string_view part, Fault&) { return Number(part); }
  bool on_double(double, std::string_view part, Fault&) { return Number(part); }
  bool on_bool(bool value, Fault&) {
    stack_.push_bool(value);
    return true;
  }
  bool on_null(Fault&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(std::string_view, Fault&) { return true; }
  bool on_comment(std::string_view, Fault&) { return true; }
  // NOLINTEND(readability-identifier-naming)

 private:
  bool Part(std::string_view part) {
    text_ += part;
    return true;
  }
  bool Number(std::string_view part) {
    text_ += part;
    return Push(Verbatim(std::exchange(text_, {})));
  }
  bool Push(const json::value& text) {
    stack_.push_string(text.get_string());
    return true;
  }

  json::value_stack stack_;
  std::string text_;
};

}  // namespace

json::value Verbatim(std::string_view raw) {
  json::string text(1, kMark);
  text.append(raw);
  return text;
}

json::value Said(std::string_view text) {
  if (text.starts_with(kMark)) return Verbatim(json::serialize(json::string(text)));
  return json::string(text);
}

json::value Kept(std::string_view raw) {
  json::basic_parser<Keeper> parser{json::parse_options()};
  boost::system::error_code error;
  const std::size_t read = parser.write_some(false, raw.data(), raw.size(), error);
  if (error || read != raw.size()) return Verbatim(raw);
  return parser.handler().Take();
}

std::string ToText(const json::value& value) {
  std::string text = json::serialize(value);
  // Fractions are written with an exponent.
  if (!text.contains(kMarkWritten) && !text.contains('E')) return text;
  text.clear();
  Write(value, text);
  return text;
}

}  // namespace switchyard::orchestration
