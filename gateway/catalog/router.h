// Finds out who serves a call and sends it there; answers itself what the merged catalog knows. One
// a worker and endpoint: the innermost Service of the endpoint's chain. One thread: the worker's.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "catalog/catalog.h"
#include "catalog/groups.h"
#include "catalog/listens.h"
#include "catalog/member_states.h"
#include "catalog/tasks.h"
#include "core/service.h"
#include "core/sight.h"
#include "core/task_policies.h"

namespace switchyard::catalog {

class Router final : public Service,
                     public TaskPolicies,
                     public std::enable_shared_from_this<Router> {
 public:
  // `tasks` null: nobody is told of any. `sight` null: everybody may know of everything.
  Router(std::shared_ptr<const Catalog> catalog, FindServer find_server, const Deps& deps,
         std::unique_ptr<TaskRoutes> tasks = nullptr, Choosing choosing = {},
         FindSight sight = nullptr);

  // Before the chain: names the target, and what the policies go by for it, so that every policy
  // can see both. A name that leads nowhere leaves the target empty; Handle() refuses it, after the
  // policies had their say.
  void Resolve(Call& call) const;

  // Before any policy that goes by the target: leads the call away from what does not exist for its
  // caller, to where it would lead if that were not there. Why, for the log; "": nothing was there
  // anyway, and that took as long; nullopt: it leads where its caller may know of.
  std::optional<std::string> Hide(Call& call) const;

  Task<Result<ReplyPtr>> Handle(Call& call) override;

  std::shared_ptr<const PolicySet> PoliciesOfTask(const Call& call,
                                                  std::string_view id) const override;

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
  void ResolveTask(Call& call) const;
  void ResolveMember(Call& call) const;
  // Whether a call of a group goes on with what one of its members asked.
  bool AnswersAMember(const Call& call) const;
  // Who asked what a call of a group goes on with, however deep its state is in those of policies.
  std::optional<TaskIds::Named> WhoAsked(const Call& call) const;
  // Whether what the call answers, if anything, is its member's; of its state only that is left.
  bool TakeOffMemberState(Call& call) const;
  // Why a call of a group has no member that it may go to.
  Error WithoutWhoAsked(const Call& call) const;
  // Why a call that leads nowhere does.
  Error WithoutServer(const Call& call) const;
  std::shared_ptr<const Sight> SightOf(const Call& call) const;
  bool Offers(const Call& call) const;
  void LeadTo(const Destination& found, Call& call) const;
  bool LeadElsewhere(const Sight& sight, Call& call) const;
  void LeadOnNowhere(Call& call) const;  // one that leads nowhere, as one that is hidden
  Result<ReplyPtr> Local(const Call& call) const;
  Result<ReplyPtr> List(const Call& call) const;
  Task<Result<ReplyPtr>> Forward(Call& call);

  // What else the calls of a catalog find; keeps it alive.
  class Others;
  std::shared_ptr<const Others> OthersIn(std::shared_ptr<const Catalog> catalog) const;

  std::shared_ptr<const Catalog> catalog_;
  FindServer find_server_;
  Listens listens_;
  const std::unique_ptr<TaskRoutes> tasks_;
  const Choosing choosing_;
  const FindSight sight_;
  const std::optional<MemberStates> member_states_;
  std::shared_ptr<const Others> others_;  // in catalog_
};

}  // namespace switchyard::catalog
