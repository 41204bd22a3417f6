// The taskIds of a subscriptions/listen (TASKX: notifications/tasks): one listen of our own at each
// server that has some of the tasks, merged into the reply that tells of everything else.
//
// The acknowledgement names the tasks that their servers will speak of; a server that does not say
// so in time is left out. One that goes away is asked again. Of a task that changes while nobody
// reads only the last state is kept. One thread: the worker's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "catalog/task_ids.h"
#include "core/deps.h"
#include "core/service.h"

namespace switchyard::catalog {

inline constexpr std::size_t kMaxListenedTasks = 100;                  // of one listen
inline constexpr Duration kTaskAckPatience = std::chrono::seconds(3);  // with a server

// What tells of everything else, and what that needs to live.
struct Listened {
  std::shared_ptr<const void> keep;
  ReplyPtr reply;
};

// `ids`: raw JSON. `open` gives the server's task behind an id of the client; ids that are nobody's
// are not honoured. kInvalid when `ids` is no array of strings, or too long.
Result<ReplyPtr> ListenToTasks(
    const Call& call, Listened rest, std::string_view ids,
    const std::function<std::optional<TaskIds::Named>(const std::string&)>& open,
    const std::function<std::shared_ptr<Service>(std::string_view)>& find_server, const Deps& deps);

}  // namespace switchyard::catalog
