// A size, and a result or JSON text: the first line, the rest.
// - what is shown of JSON is JSON, and together it is the whole but for space and commas;
// - a result that is cut is still a result, and its text stays UTF-8;
// - a cut makes progress, whatever it is given.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fuzz/require.h"
#include "mcp/json_string.h"
#include "mcp/message.h"
#include "policies/lib/json_cut.h"
#include "policies/lib/result_pages.h"
#include "policies/lib/text_cut.h"

namespace {

using namespace switchyard;
using fuzz::Require;

bool IsJson(const std::string& text) {
  return mcp::Message::Parse(R"({"jsonrpc":"2.0","id":1,"result":{"x":)" + text + "}}").has_value();
}

std::string WithoutSpace(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c != ' ' && c != '\n' && c != '\t' && c != '\r' && c != ',') out += c;
  }
  return out;
}

void CutJson(const std::string& text, const PageSize& size) {
  std::optional<JsonCutter> cutter = JsonCutter::For(text);
  if (!cutter) return;
  std::string shown;
  while (!cutter->done()) {
    const JsonPiece piece = cutter->Next(size, size.whole(), true);
    Require(!piece.empty(), "a new page shows something");
    const std::string_view part =
        std::string_view(text).substr(piece.begin, piece.end - piece.begin);
    Require(IsJson(piece.before + std::string(part) + piece.after), "a piece is JSON");
    shown += WithoutSpace(part);
  }
  // Brackets that end where a page does are closed by it.
  Require(shown.size() <= WithoutSpace(text).size(), "nothing twice");
}

void CutWhole(const std::string& text, const PageSize& size) {
  std::size_t at = 0;
  const bool utf8 = mcp::IsUtf8(text);
  while (at < text.size()) {
    const std::string_view rest = std::string_view(text).substr(at);
    std::size_t length = CutText(rest, size.Fit(rest, size.whole()));
    if (length == 0) length = 1;
    Require(!utf8 || size.bytes < 4 || mcp::IsUtf8(rest.substr(0, length)), "whole characters");
    at += length;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Lines lines(data, size);
  const auto most = static_cast<std::size_t>(std::abs(std::atoi(lines.Next().c_str())) % 4096);
  const std::string text = lines.Rest();
  for (const bool tokens : {false, true}) {
    const PageSize page{.bytes = tokens ? 0 : 16 + most, .tokens = tokens ? 16 + most : 0};
    CutJson(text, page);
    CutWhole(text, page);
    const std::optional<ResultPages> pages = ResultPages::Of(text, page, true);
    if (!pages) continue;
    Require(IsJson(pages->First(text, "note", R"("a/b":1)")), "the first page is a result");
    for (std::size_t i = 0; i < pages->pages(); ++i) {
      Require(IsJson("[" + pages->Blocks(i) + "]"), "a page is blocks");
    }
  }
  return 0;
}
