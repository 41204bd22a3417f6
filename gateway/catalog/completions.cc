#include "catalog/completions.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "mcp/json_string.h"
#include "mcp/message_keys.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

using Values = std::map<std::string, std::string, std::less<>>;

// How the value of one variable stands in a URI, by the operator of its expression.
struct Style {
  std::string_view first;  // before it
  bool named = false;      // after its name
  bool reserved = false;   // reserved characters stay
};

std::optional<Style> StyleOf(char op) {
  switch (op) {
    case '+': return Style{.first = "", .reserved = true};
    case '#': return Style{.first = "#", .reserved = true};
    case '.': return Style{.first = "."};
    case '/': return Style{.first = "/"};
    case ';': return Style{.first = ";", .named = true};
    case '?': return Style{.first = "?", .named = true};
    case '&': return Style{.first = "&", .named = true};
    default: return std::nullopt;
  }
}

std::string Encoded(std::string_view value, bool reserved) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  const std::string_view kept = reserved ? "-._~:/?#[]@!$&'()*+,;=%" : "-._~";
  std::string out;
  for (const char c : value) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter || kept.contains(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out.append({'%', kHex[byte >> 4], kHex[byte & 15]});
  }
  return out;
}

// nullopt: it has more than one variable, or one that is not known.
std::optional<std::string> ExpandOne(std::string_view expression, const Values& values) {
  if (expression.empty()) return std::nullopt;
  const std::optional<Style> style = StyleOf(expression.front());
  if (style) expression.remove_prefix(1);
  if (expression.ends_with('*')) expression.remove_suffix(1);
  const auto value = values.find(expression);
  if (value == values.end()) return std::nullopt;
  const std::string text = Encoded(value->second, style && style->reserved);
  if (!style) return text;
  std::string out(style->first);
  if (style->named) {
    out += expression;
    if (style->first != ";" || !text.empty()) out += '=';
  }
  return out + text;
}

// Which variable is completed; "": a server may read another one than is read here.
std::string ArgumentOf(std::string_view params) {
  const std::optional<mcp::Fields> fields = mcp::MembersOf(params);
  const mcp::Field* argument = fields ? mcp::Find(*fields, "argument") : nullptr;
  const auto inner = argument != nullptr ? mcp::MembersOf(argument->value) : std::nullopt;
  if (!inner || !mcp::DuplicateKey(*fields).empty() || !mcp::DuplicateKey(*inner).empty()) {
    return {};
  }
  const mcp::Field* name = mcp::Find(*inner, "name");
  return name != nullptr ? mcp::Unquote(name->value).value_or("") : "";
}

boost::json::object ObjectOf(std::string_view raw) {
  boost::system::error_code error;
  boost::json::value value = boost::json::parse(raw, error);
  return !error && value.is_object() ? std::move(value.as_object()) : boost::json::object();
}

class SeenCompletions final : public Reply {
 public:
  SeenCompletions(ReplyPtr inner, const Call& call, std::shared_ptr<const Sight> sight)
      : call_(call), sight_(std::move(sight)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && next->has_value() && (*next)->kind() == mcp::Kind::kResult) {
      **next = Filtered(std::move(**next));
    }
    co_return next;
  }

 private:
  mcp::Message Filtered(mcp::Message response) const {
    boost::json::object result = ObjectOf(response.result());
    boost::json::value* const completion = result.if_contains("completion");
    if (completion == nullptr || !completion->is_object()) return response;
    boost::json::object& found = completion->as_object();
    boost::json::value* const proposed = found.if_contains("values");
    if (proposed == nullptr || !proposed->is_array()) return response;
    Values known = Known();
    const std::string name = ArgumentOf(call_.message.params());
    boost::json::array shown;
    for (const boost::json::value& value : proposed->as_array()) {
      if (!value.is_string() || name.empty()) continue;
      known[name] = std::string(value.as_string());
      if (Shows(Expand(call_.target.name, known))) shown.push_back(value);
    }
    if (shown.size() == proposed->as_array().size()) return response;
    *proposed = std::move(shown);
    found.erase("total");  // it counts what is not shown
    response.SetResult(boost::json::serialize(result));
    return response;
  }

  // What the client chose for other variables.
  Values Known() const {
    Values values;
    const boost::json::object context = ObjectOf(call_.message.Get(mcp::Key::kContext));
    const boost::json::value* const chosen = context.if_contains("arguments");
    if (chosen == nullptr || !chosen->is_object()) return values;
    for (const auto& [name, value] : chosen->as_object()) {
      if (value.is_string()) values[std::string(name)] = std::string(value.as_string());
    }
    return values;
  }

  bool Shows(const std::string& uri) const {
    const bool open = uri.contains('{');
    return sight_->MayLead({.route = mcp::Route::kResource,
                            .name = uri,
                            .item = open ? call_.target.definition : nullptr,
                            .policies = call_.target.policies});
  }

  const Call& call_;
  const std::shared_ptr<const Sight> sight_;
  ReplyPtr inner_;
};

}  // namespace

std::string Expand(std::string_view uri_template, const Values& values) {
  std::string out;
  while (!uri_template.empty()) {
    const std::size_t open = std::min(uri_template.find('{'), uri_template.size());
    const std::size_t close = uri_template.find('}', open);
    out += uri_template.substr(0, open);
    if (close == std::string_view::npos) return out.append(uri_template.substr(open));
    const std::string_view whole = uri_template.substr(open, close + 1 - open);
    const auto expanded = ExpandOne(whole.substr(1, whole.size() - 2), values);
    out += expanded ? std::string_view(*expanded) : whole;
    uri_template.remove_prefix(close + 1);
  }
  return out;
}

ReplyPtr WithSeenCompletions(ReplyPtr reply, const Call& call, std::shared_ptr<const Sight> sight) {
  return std::make_unique<SeenCompletions>(std::move(reply), call, std::move(sight));
}

}  // namespace switchyard::catalog
