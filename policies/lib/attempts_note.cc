#include "policies/lib/attempts_note.h"

#include <string>

#include "policies/lib/meta_note.h"

namespace switchyard::policies {

void NoteAttempts(mcp::Message& answer, unsigned attempts) {
  NoteInMeta(answer, kAttemptsKey, std::to_string(attempts));
}

}  // namespace switchyard::policies
