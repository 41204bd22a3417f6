// Finds out who serves a call and sends it there; answers itself what the merged catalog knows. One
// a worker and endpoint: the innermost Service of the endpoint's chain. One thread: the worker's.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/listens.h"
#include "catalog/tasks.h"
#include "core/service.h"

namespace switchyard::catalog {

class Router final : public Service, public std::enable_shared_from_this<Router> {
 public:
  // `tasks` null: nobody is told of any.
  Router(std::shared_ptr<const Catalog> catalog, FindServer find_server, const Deps& deps,
         std::unique_ptr<TaskRoutes> tasks = nullptr);

  // Before the chain: names the target, so that every policy can see it. A name that leads nowhere
  // leaves the target empty; Handle() refuses it, after the policies had their say.
  void Resolve(Call& call) const;

  Task<Result<ReplyPtr>> Handle(Call& call) override;

  // Takes a newer catalog. Running calls keep the old one.
  void Update(std::shared_ptr<const Catalog> catalog);
  // Tells listeners what updates changed. Once every worker has updated: who is told asks at once,
  // and may be served by any of them.
  void Announce() { listens_.Release(); }

  // A reload replaced or removed these servers: listens let go of them.
  void Replaced(const std::set<std::string, std::less<>>& servers) { listens_.Replaced(servers); }

  // Graceful shutdown: every open listen ends with its result.
  void EndListens() { listens_.End(); }

  const std::shared_ptr<const Catalog>& catalog() const { return catalog_; }
  std::size_t listeners() const { return listens_.size(); }

 private:
  Result<ReplyPtr> Local(const Call& call) const;
  Result<ReplyPtr> List(const Call& call) const;
  Task<Result<ReplyPtr>> Forward(Call& call);

  std::shared_ptr<const Catalog> catalog_;
  FindServer find_server_;
  Listens listens_;
  const std::unique_ptr<TaskRoutes> tasks_;
};

}  // namespace switchyard::catalog
