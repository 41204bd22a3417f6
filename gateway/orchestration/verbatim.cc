#include "orchestration/verbatim.h"

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
  into.append(json::serialize(value));
}

}  // namespace

json::value Verbatim(std::string_view raw) {
  json::string text(1, kMark);
  text.append(raw);
  return text;
}

std::string ToText(const json::value& value) {
  std::string text = json::serialize(value);
  if (!text.contains(kMarkWritten)) return text;
  text.clear();
  Write(value, text);
  return text;
}

}  // namespace switchyard::orchestration
