// The one shape of every stage between the client's socket and the server's: a policy is a Service
// around a Service, the router is a Service, a downstream is a Service.
#pragma once

#include "base/result.h"
#include "base/task.h"
#include "core/call.h"
#include "core/reply.h"

namespace switchyard {

class Service {
 public:
  virtual ~Service() = default;
  // `call` outlives the returned Reply. An Error means that no reply could be had; an error object
  // of the server is a Reply like any other. Notifications of clients give an empty Reply.
  virtual Task<Result<ReplyPtr>> Handle(Call& call) = 0;
};

}  // namespace switchyard
