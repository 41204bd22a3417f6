// A task that somebody waits for to its end: the gateway polls the server in the client's stead.
// For a tool that insists on being a task and a client that knows none, and for tasks/result of
// legacy clients. protocol 6.5-F, G.
//
// What the task asks for meanwhile becomes an input_required result, as it would in the middle of a
// plain call; the retry brings the answers, and goes on with the same task. One thread: the
// worker's.
#pragma once

#include <memory>
#include <set>
#include <string>

#include "core/deps.h"
#include "core/service.h"
#include "mcp/raw_object.h"

namespace switchyard::catalog {

// One request about a task and its response; the rest of the reply is of no interest.
Task<Result<mcp::Message>> AskAboutTask(std::shared_ptr<Service> server, Call call);

// The call that AskAboutTask makes for `of`: tasks/get and the like, `more` as members of its
// params. `id` is the server's own.
Call CallAboutTask(const Call& of, mcp::Method method, std::string_view id, std::string more = {});

class HeldTask final : public Reply {
 public:
  static constexpr Duration kMinPause = std::chrono::milliseconds(20);
  static constexpr Duration kMaxPause = std::chrono::seconds(30);
  static constexpr Duration kDefaultPause = std::chrono::seconds(1);
  static constexpr int kMaxFailures = 5;  // of polls in a row
  static constexpr Duration kCancelTime = std::chrono::seconds(10);

  struct Options {
    std::string id;          // the server's own
    std::string state = {};  // requestState of what it asks, "" = none is needed
    bool owns_task = false;  // nobody else knows of it: who drops the reply cancels it
  };

  // `call` is answered; `call.target` names the server. Its params may bring inputResponses.
  HeldTask(const Call& call, std::shared_ptr<Service> server, const Deps& deps, Options options);
  ~HeldTask() override;

  Task<Result<std::optional<mcp::Message>>> Next() override;

 private:
  // The response that ends it; nullopt: ask again later.
  Result<std::optional<mcp::Message>> Conclude(const mcp::RawObject& task);
  std::optional<mcp::Message> AskForInput(const mcp::RawObject& task) const;
  Task<Result<std::optional<mcp::Message>>> GoOn();
  Task<Result<std::optional<mcp::Message>>> Poll();

  const Call& call_;
  const std::shared_ptr<Service> server_;
  const Deps deps_;
  const Options options_;
  std::set<std::string, std::less<>> answered_;  // keys
  Duration pause_ = kDefaultPause;
  int failures_ = 0;
  bool started_ = false, over_ = false;
  bool lost_ = false;  // given up, though the task may go on
};

}  // namespace switchyard::catalog
