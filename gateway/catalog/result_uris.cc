#include "catalog/result_uris.h"

#include <optional>
#include <utility>

#include <boost/json.hpp>

#include "mcp/error_map.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

using mcp::ElementsOf;
using mcp::Field;
using mcp::Fields;
using mcp::Find;
using mcp::IsArray;
using mcp::IsObject;
using mcp::MembersOf;

class Mapper {
 public:
  Mapper(mcp::Message& response, const UriMap& map) : response_(response), map_(map) {}

  // Whether anything was changed.
  bool Run() {
    const std::optional<Fields> result = MembersOf(response_.result());
    if (!result) return false;
    for (const Field& field : *result) {
      if (field.key == "content") Contents(field.value);
      if (field.key == "contents") Resources(field.value);
      if (field.key == "messages") Messages(field.value);
      if (field.key == "_meta") Meta(field.value);
    }
    return changed_;
  }

 private:
  // One content block or an array of them.
  void Contents(std::string_view value) {
    if (IsObject(value)) return Content(value);
    const auto elements = IsArray(value) ? ElementsOf(value) : std::nullopt;
    if (!elements) return;
    for (const std::string_view element : *elements) Content(element);
  }

  void Content(std::string_view block) {
    const std::optional<Fields> fields = MembersOf(block);
    const Field* type = fields ? Find(*fields, "type") : nullptr;
    if (type == nullptr) return;
    if (type->value == "\"resource_link\"") Uri(Find(*fields, "uri"));
    const Field* embedded = Find(*fields, "resource");
    if (type->value == "\"resource\"" && embedded != nullptr) Resource(embedded->value);
  }

  void Resources(std::string_view array) {
    const auto elements = ElementsOf(array);
    if (!elements) return;
    for (const std::string_view element : *elements) Resource(element);
  }

  void Resource(std::string_view object) {
    const std::optional<Fields> fields = MembersOf(object);
    if (fields) Uri(Find(*fields, "uri"));
  }

  void Messages(std::string_view array) {
    const auto elements = ElementsOf(array);
    if (!elements) return;
    for (const std::string_view element : *elements) {
      const std::optional<Fields> fields = MembersOf(element);
      const Field* content = fields ? Find(*fields, "content") : nullptr;
      if (content != nullptr) Contents(content->value);
    }
  }

  void Meta(std::string_view object) {
    const std::optional<Fields> fields = MembersOf(object);
    const Field* ui = fields ? Find(*fields, "ui") : nullptr;
    const std::optional<Fields> inner = ui != nullptr ? MembersOf(ui->value) : std::nullopt;
    if (inner) Uri(Find(*inner, "resourceUri"));
  }

  void Uri(const Field* field) {
    const std::optional<std::string> uri =
        field != nullptr ? mcp::Unquote(field->value) : std::nullopt;
    if (!uri) return;
    const std::string mapped = map_(*uri);
    if (mapped == *uri) return;
    const auto begin = static_cast<std::uint32_t>(field->value.data() - response_.bytes().data());
    const mcp::Span span{begin, begin + static_cast<std::uint32_t>(field->value.size())};
    response_.edits().Replace(span, mcp::Quote(mapped));
    changed_ = true;
  }

  mcp::Message& response_;
  const UriMap& map_;
  bool changed_ = false;
};

class ClientUris final : public Reply {
 public:
  ClientUris(ReplyPtr inner, const Call& call, std::shared_ptr<const Catalog> catalog)
      : call_(call), catalog_(std::move(catalog)), inner_(std::move(inner)) {}

  Task<Result<std::optional<mcp::Message>>> Next() override {
    Result<std::optional<mcp::Message>> next = co_await inner_->Next();
    if (next && next->has_value() && (*next)->is_response()) **next = Mapped(std::move(**next));
    co_return next;
  }

 private:
  mcp::Message Mapped(mcp::Message response) const {
    const bool reads = call_.method().route == mcp::Route::kResource;
    const std::string asked = reads ? call_.message.GetString(mcp::Key::kUri) : std::string();
    if (response.kind() == mcp::Kind::kError) {
      return reads ? NameInError(std::move(response), asked) : std::move(response);
    }
    return MapUris(std::move(response), [this, reads, &asked](std::string_view uri) {
      if (reads && uri == call_.target.name) return asked;
      return catalog_->ExposedUri(call_.target.server, uri);
    });
  }

  const Call& call_;
  const std::shared_ptr<const Catalog> catalog_;
  ReplyPtr inner_;
};

}  // namespace

mcp::Message MapUris(mcp::Message response, const UriMap& map) {
  const std::string_view result = response.result();
  if (!result.contains("\"uri\"") && !result.contains("\"resourceUri\"")) return response;
  if (!Mapper(response, map).Run()) return response;
  // Stages that come later read the bytes, not the edits.
  Result<mcp::Message> written = mcp::Message::Parse(response.ToText(), mcp::Check::kEnvelope);
  return written ? std::move(*written) : std::move(response);
}

mcp::Message NameInError(mcp::Message error, std::string_view uri) {
  const int code = error.error_code();
  if (code != mcp::kInvalidParams && code != mcp::kLegacyResourceNotFound) return error;
  boost::system::error_code broken;
  const boost::json::value value = boost::json::parse(error.error(), broken);
  if (broken || !value.is_object()) return error;
  std::string message;
  if (const auto* text = value.as_object().if_contains("message"); text != nullptr) {
    if (text->is_string()) message = text->as_string();
  }
  boost::json::object data;
  if (const auto* own = value.as_object().if_contains("data"); own != nullptr) {
    if (!own->is_object()) return error;
    data = own->as_object();
  }
  data["uri"] = uri;
  return mcp::Message::MakeError(error.id(), code, message, boost::json::serialize(data));
}

bool NeedsClientUris(const Call& call, const Catalog& catalog) {
  const mcp::Route route = call.method().route;
  if (route == mcp::Route::kResource) return true;
  return route != mcp::Route::kReference && catalog.RewritesUrisOf(call.target.server);
}

ReplyPtr WithClientUris(ReplyPtr reply, const Call& call, std::shared_ptr<const Catalog> catalog) {
  return std::make_unique<ClientUris>(std::move(reply), call, std::move(catalog));
}

}  // namespace switchyard::catalog
