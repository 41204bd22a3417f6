// Pins files of whatever bytes.
// - they are read or refused with a message that a log can hold;
// - what was read is written so that it is read as the same.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.h"
#include "mcp/json_string.h"
#include "pins/book.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using fuzz::Require;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const Result<pins::Book> book = pins::ReadBook(text);
  if (!book) {
    Require(!book.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  const std::string written = pins::WriteBook(*book);
  const Result<pins::Book> again = pins::ReadBook(written);
  Require(again.has_value(), "what is written is read");
  Require(*again == *book, "as the same");
  Require(pins::WriteBook(*again) == written, "and written as the same");
  return 0;
}
