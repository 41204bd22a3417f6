#include "catalog/render.h"

#include <array>
#include <optional>
#include <utility>

#include "mcp/list_meta.h"
#include "mcp/message.h"
#include "mcp/scan.h"

namespace switchyard::catalog {
namespace {

using mcp::ElementsOf;
using mcp::Field;
using mcp::Fields;
using mcp::Find;
using mcp::IsString;
using mcp::MembersOf;

using mcp::Version;

// Members that came or went with a revision, by kind of item. protocol 2025-11-25: icons, execution
// (gone again in 2026-07-28); 2025-06-18: title, outputSchema, _meta; 2025-03-26: annotations of
// tools.
bool Knows(Version version, ItemKind kind, std::string_view member) {
  if (member == "icons") return version >= Version::k2025_11_25;
  if (member == "title" || member == "_meta") return version >= Version::k2025_06_18;
  if (kind != ItemKind::kTool) return true;
  if (member == "execution") return version == Version::k2025_11_25;
  if (member == "outputSchema") return version >= Version::k2025_06_18;
  if (member == "annotations") return version >= Version::k2025_03_26;
  return true;
}

std::string_view NameMember(ItemKind kind) {
  switch (kind) {
    case ItemKind::kTool:
    case ItemKind::kPrompt: return "name";
    case ItemKind::kResource: return "uri";
    case ItemKind::kTemplate: return "uriTemplate";
  }
  return "name";
}

// Legacy clients take only schemas of objects for results.
bool IsObjectSchema(std::string_view schema) {
  const std::optional<Fields> fields = MembersOf(schema);
  const Field* type = fields ? Find(*fields, "type") : nullptr;
  return type != nullptr && type->value == "\"object\"";
}

class ItemWriter {
 public:
  ItemWriter(const Definition& definition, Version version, const RenderOptions& options)
      : definition_(definition), version_(version), options_(options) {}

  std::string Write() {
    const std::optional<Fields> fields = MembersOf(definition_.json);
    if (!fields) return definition_.json;
    out_.reserve(definition_.json.size() + definition_.exposed.size());
    out_ = "{";
    title_ = Find(*fields, "title");
    for (const Field& field : *fields) WriteField(field);
    WriteTitleElsewhere(*fields);
    WriteExecution(*fields);
    out_ += '}';
    return std::move(out_);
  }

 private:
  void WriteField(const Field& field) {
    if (!Knows(version_, definition_.kind, field.key)) return;
    if (field.key == NameMember(definition_.kind)) {
      if (definition_.exposed == definition_.name) return Append(field.whole);
      return Append(field.key, mcp::Quote(definition_.exposed));
    }
    if (definition_.kind == ItemKind::kTool) return WriteToolField(field);
    if (definition_.kind == ItemKind::kPrompt && field.key == "arguments" &&
        version_ < Version::k2025_06_18) {
      return Append(field.key, WithoutTitles(field.value));
    }
    Append(field.whole);
  }

  void WriteToolField(const Field& field) {
    if (field.key == "outputSchema" && !mcp::IsModern(version_) && !IsObjectSchema(field.value)) {
      return;
    }
    if (field.key == "inputSchema" && !options_.keep_header_params &&
        !definition_.param_marks.empty()) {
      return Append(field.key, mcp::WithoutParamMarks(field.value));
    }
    if (field.key == "_meta" && options_.exposed_uri) {
      return Append(field.key, WithExposedUiUri(field.value));
    }
    if (field.key == "annotations" && version_ < Version::k2025_06_18) {
      wrote_annotations_ = true;
      return Append(field.key, WithTitle(field.value));
    }
    Append(field.whole);
  }

  // Clients before 2025-06-18 know no title: a tool's goes to annotations.title where there is none
  // and the client knows annotations, else a missing description is filled with it.
  void WriteTitleElsewhere(const Fields& fields) {
    const Field* title = title_;
    if (title == nullptr || !IsString(title->value) || version_ >= Version::k2025_06_18) return;
    const bool annotations = definition_.kind == ItemKind::kTool &&
                             version_ >= Version::k2025_03_26 && !wrote_annotations_;
    if (annotations) {
      Append("annotations", std::string("{\"title\":").append(title->value).append("}"));
    } else if (Find(fields, "description") == nullptr) {
      Append("description", title->value);
    }
  }

  // L-TASK: a tool can be called as a task where its definition says so. Modern servers say it for
  // all of their tools at once.
  void WriteExecution(const Fields& fields) {
    if (definition_.tasks == TaskSupport::kNone || version_ != Version::k2025_11_25) return;
    if (Find(fields, "execution") != nullptr) return;
    Append("execution", R"({"taskSupport":"optional"})");
  }

  std::string WithTitle(std::string_view annotations) const {
    const std::optional<Fields> fields = MembersOf(annotations);
    const bool lacks = fields && Find(*fields, "title") == nullptr;
    if (!lacks || title_ == nullptr || !IsString(title_->value)) return std::string(annotations);
    std::string out = "{\"title\":";
    out.append(title_->value);
    for (const Field& field : *fields) out.append(",").append(field.whole);
    return out += '}';
  }

  // Of a prompt's arguments.
  static std::string WithoutTitles(std::string_view arguments) {
    const std::optional<std::vector<std::string_view>> elements = ElementsOf(arguments);
    if (!elements || !arguments.contains("\"title\"")) return std::string(arguments);
    std::string out = "[";
    for (const std::string_view element : *elements) {
      if (out.size() > 1) out += ',';
      const std::optional<Fields> fields = MembersOf(element);
      if (!fields) {
        out += element;
        continue;
      }
      std::string kept;
      for (const Field& field : *fields) {
        if (field.key != "title") kept.append(kept.empty() ? "" : ",").append(field.whole);
      }
      out.append("{").append(kept).append("}");
    }
    return out += ']';
  }

  // `ui.resourceUri` of the Apps extension names a resource of the same server.
  std::string WithExposedUiUri(std::string_view meta) const {
    std::string text(meta);
    const std::optional<Fields> fields = MembersOf(meta);
    const Field* ui = fields ? Find(*fields, "ui") : nullptr;
    const std::optional<Fields> inner = ui != nullptr ? MembersOf(ui->value) : std::nullopt;
    const Field* uri = inner ? Find(*inner, "resourceUri") : nullptr;
    const std::optional<std::string> original = uri ? mcp::Unquote(uri->value) : std::nullopt;
    if (!original) return text;
    const std::string exposed = options_.exposed_uri(definition_.server, *original);
    if (exposed != *original) {
      text.replace(static_cast<std::size_t>(uri->value.data() - meta.data()), uri->value.size(),
                   mcp::Quote(exposed));
    }
    return text;
  }

  void Append(std::string_view whole) {
    if (out_.size() > 1) out_ += ',';
    out_ += whole;
  }

  void Append(std::string_view key, std::string_view value) {
    if (out_.size() > 1) out_ += ',';
    out_.append("\"").append(key).append("\":").append(value);
  }

  const Definition& definition_;
  const Version version_;
  const RenderOptions& options_;
  const Field* title_ = nullptr;
  bool wrote_annotations_ = false;
  std::string out_;
};

// [{"<key>":"...","reason":"..."}]
std::string ReasonsJson(std::string_view key, const std::map<std::string, std::string>& reasons) {
  std::string out = "[";
  for (const auto& [what, why] : reasons) {
    if (out.size() > 1) out += ',';
    out.append("{\"").append(key).append("\":").append(mcp::Quote(what));
    out.append(",\"reason\":").append(mcp::Quote(why)).append("}");
  }
  return out += ']';
}

// [{"server":"a","items":3}]: whose the first three are, and so on. They stand by their servers, so
// this is a few bytes a server, whatever it has; and it is made once, with the list.
std::string OwnersJson(const Page& page, const RenderOptions& options) {
  std::string out = "[";
  for (std::size_t begin = 0; begin < page.items.size();) {
    const std::string_view owner = options.owner(*page.items[begin]);
    std::size_t end = begin + 1;
    while (end < page.items.size() && options.owner(*page.items[end]) == owner) ++end;
    if (out.size() > 1) out += ',';
    out.append("{\"server\":").append(mcp::Quote(owner));
    out.append(",\"items\":").append(std::to_string(end - begin)).append("}");
    begin = end;
  }
  return out += ']';
}

// `_meta` of a list result; "" = none.
std::string MetaJson(const Page& page, Version version, const RenderOptions& options) {
  std::string out;
  if (mcp::IsModern(version)) {
    out =
        R"("io.modelcontextprotocol/serverInfo":{"name":"switchyard","version":")" SWITCHYARD_VERSION
        R"("})";
  }
  if (options.owner && mcp::IsModern(version) && !page.items.empty()) {
    out.append(",\"").append(mcp::kListServers).append("\":").append(OwnersJson(page, options));
  }
  if (page.missing != nullptr && !page.missing->empty()) {
    if (!out.empty()) out += ',';
    out.append("\"")
        .append(mcp::kListMissing)
        .append("\":")
        .append(ReasonsJson("server", *page.missing));
  }
  if (page.outages != nullptr && !page.outages->empty()) {
    if (!out.empty()) out += ',';
    out.append("\"")
        .append(mcp::kListOutages)
        .append("\":")
        .append(ReasonsJson("what", *page.outages));
  }
  return out;
}

}  // namespace

std::string RenderItem(const Definition& definition, Version version,
                       const RenderOptions& options) {
  return ItemWriter(definition, version, options).Write();
}

std::string RenderPage(const Page& page, Version version, const RenderOptions& options) {
  std::size_t size = 512;
  for (const Definition* item : page.items) size += item->json.size() + item->exposed.size();
  std::string out;
  out.reserve(size);
  out.append("{\"").append(page.key).append("\":[");
  for (const Definition* item : page.items) {
    if (out.back() != '[') out += ',';
    out += RenderItem(*item, version, options);
  }
  out += ']';
  if (!page.next_cursor.empty())
    out.append(",\"nextCursor\":").append(mcp::Quote(page.next_cursor));
  if (mcp::IsModern(version)) {
    out.append(R"(,"resultType":"complete","ttlMs":)").append(std::to_string(page.hint.ttl_ms));
    out.append(page.hint.shared ? R"(,"cacheScope":"public")" : R"(,"cacheScope":"private")");
  }
  const std::string meta = MetaJson(page, version, options);
  if (!meta.empty()) out.append(",\"_meta\":{").append(meta).append("}");
  return out += '}';
}

}  // namespace switchyard::catalog
