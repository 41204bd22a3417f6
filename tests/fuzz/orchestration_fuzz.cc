// Calls of the orchestration service, as far as they can be judged without its records. Lines: a
// text that may be an id of a task or a URI, the arguments of a call.
// - whatever the arguments of whatever tool, they are read or refused in words;
// - JSON that is taken apart so that it can be put together anew says the same as before;
// - an id that is read is written the same, but for leading zeros; so is a cursor.
#include <cstddef>
#include <cstdint>
#include <string>

#include "fuzz/require.h"
#include "orchestration/coordination/ids.h"
#include "orchestration/task.h"
#include "orchestration/tool.h"
#include "orchestration/verbatim.h"
#include "orchestration/waiting/resources.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace switchyard;
  using namespace switchyard::orchestration;
  using fuzz::Require;
  fuzz::Lines lines(data, size);
  const std::string text = lines.Next(), raw = lines.Rest();
  if (const Result<TaskId> id = TaskIdOf(text)) {
    Require(TaskIdOf(ToText(*id)) == *id, "an id comes back");
  } else {
    Require(!id.error().message.empty(), "a refusal has words");
  }
  if (const std::optional<Subject> subject = SubjectOf(text)) {
    Require(ReadOf(*subject).has_value(), "what has a URI can be read");
  }
  if (const Result<Cursor> cursor = CursorOf(text, "urs"); cursor && cursor->phase != 0) {
    const Result<Cursor> again =
        CursorOf(CursorText(cursor->phase, cursor->first, cursor->second), "urs");
    Require(again && again->first == cursor->first && again->second == cursor->second,
            "a cursor comes back");
  }
  boost::system::error_code error;
  if (const boost::json::value plain = boost::json::parse(raw, error); !error) {
    const boost::json::value again = boost::json::parse(ToText(Kept(raw)), error);
    Require(!error && again == plain, "what is kept says the same");
  }
  for (const Tool& tool : Tools()) {
    Arguments arguments(raw);
    const Result<Operation> operation = tool.prepare(arguments);
    if (operation) continue;
    Require(operation.error().code == Code::kInvalid, "what is refused is the caller's");
    Require(operation.error().message.size() < 1000, "and told shortly");
  }
  return 0;
}
