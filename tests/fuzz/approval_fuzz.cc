// What is read of approvals: rows of their file, decisions of the admin API, answers of clients.
// - each is read or refused with a message;
// - a row that was read is written so that it is read as the same;
// - nothing that is shown is longer than it may be.
#include <cstddef>
#include <cstdint>
#include <string>

#include "admin/approvals.h"
#include "approvals/approval.h"
#include "approvals/words.h"
#include "fuzz/require.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using fuzz::Require;
  const std::string text(reinterpret_cast<const char*>(data), size);
  if (const Result<approvals::Approval> read = approvals::FromText(text)) {
    const std::string written = approvals::ToText(*read);
    const Result<approvals::Approval> again = approvals::FromText(written);
    Require(again.has_value(), "what is written is read");
    Require(approvals::ToText(*again) == written, "as the same");
    static_cast<void>(approvals::ToJson(*read, 1));
  } else {
    Require(!read.error().message.empty(), "a refusal has a reason");
  }
  const Result<admin::Decision> decision = admin::ReadDecision(text);
  Require(decision || !decision.error().message.empty(), "a refusal has a reason");
  Require(approvals::AnswerOf(text) != true || text.find("approve") != std::string::npos,
          "no yes without the word");
  Require(approvals::Readable(text, 100).size() <= 103, "as long as it may be");
  return 0;
}
