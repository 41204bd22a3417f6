#include <utility>

#include "pins/book.h"

namespace switchyard::pins {
namespace {

bool Accepts(const Entry& written, const Pending& waiting) {
  return written.pin && written.pin->trust == Trust::kAccepted && written.pin->hash == waiting.hash;
}

}  // namespace

Book Merged(Book file, const Book& memory) {
  for (const auto& [name, known] : memory.servers) {
    const auto [server, fresh] = file.servers.try_emplace(name);
    if (fresh) server->second.origin = known.origin;
    for (const auto& [id, entry] : known.items) {
      const auto [written, absent] = server->second.items.try_emplace(id, entry);
      if (absent || !entry.pending || !entry.pending->held) continue;
      if (!Accepts(written->second, *entry.pending)) written->second = entry;
    }
  }
  return file;
}

}  // namespace switchyard::pins
