#include "downstream/authorized.h"

#include <exception>

#include <boost/asio/post.hpp>
#include <spdlog/spdlog.h>

#include "base/mailbox.h"

namespace switchyard::downstream {
namespace {

using credentials::GrantPtr;
using credentials::Refusal;

using Answer = Mailbox<Result<GrantPtr>>;

// On the source's home. Unlike the hops of remote.h it says nothing when it is cut off: that is at
// the end of the process, when the workers are gone.
Task<void> Obtain(credentials::SourcePtr source, Caller caller, Refusal refused, Deadline deadline,
                  Executor back, std::shared_ptr<Answer> box) {
  Result<GrantPtr> got = Failure(Code::kInternal, Origin::kGateway, "no credentials could be had");
  try {
    got = co_await source->Obtain(std::move(caller), std::move(refused), deadline);
  } catch (const std::exception& error) {  // who waits is told all the same
    spdlog::error("credentials: {}", error.what());
  }
  net::post(back,
            [box = std::move(box), got = std::move(got)]() mutable { box->Put(std::move(got)); });
}

// What sessions are told apart by.
bool IsSame(const Principal& one, const Principal& other) {
  return one.issuer == other.issuer && one.subject == other.subject && one.client == other.client;
}

bool IsRefused(const HttpFacts& facts) { return facts.status == 401 || facts.status == 403; }

}  // namespace

Authorized::Authorized(std::unique_ptr<Transport> inner, credentials::SourcePtr source,
                       const Deps& deps, std::optional<Caller> bound)
    : inner_(std::move(inner)), source_(std::move(source)), deps_(deps), bound_(std::move(bound)) {}

const Caller* Authorized::CallerOf(const Outgoing& out) {
  if (bound_ && out.caller != nullptr && IsSame(**bound_, **out.caller)) bound_ = *out.caller;
  return bound_ ? &*bound_ : out.caller;
}

Task<Result<GrantPtr>> GrantOf(credentials::SourcePtr source, Caller caller, bool own,
                               Refusal refused, const Deps& deps, Deadline deadline) {
  if (refused.grant == nullptr) {
    Result<GrantPtr> found = source->Find(own ? nullptr : &caller);
    if (!found || *found != nullptr) co_return found;
  }
  const auto box = std::make_shared<Answer>();
  const Executor home_of_source = source->home();
  net::post(home_of_source, [source = std::move(source), caller = std::move(caller),
                             refused = std::move(refused), deadline, back = deps.executor(),
                             box]() mutable {
    const Executor home = source->home();
    Spawn(home, "credentials",
          Obtain(std::move(source), std::move(caller), std::move(refused), deadline, back, box));
  });
  const Timers::Handle timer = deps.timers.At(deadline.at(), [box] {
    box->Put(Failure(Code::kDeadline, Origin::kServer, "no credentials in time"));
  });
  Result<GrantPtr> got = co_await box->Take();
  co_return got;
}

template <class T>
Task<Result<T>> Authorized::Send(Outgoing out, Task<Result<T>> (Transport::*send)(Outgoing)) {
  const Caller* whose = CallerOf(out);
  const Caller caller = whose == nullptr ? Nobody() : *whose;
  Result<GrantPtr> grant =
      co_await GrantOf(source_, caller, whose == nullptr, {}, deps_, out.deadline);
  if (!grant) co_return Failure(std::move(grant.error()));
  HttpFacts own;
  HttpFacts& facts = out.facts == nullptr ? own : *out.facts;
  const std::string_view era = out.headers;
  std::string headers = std::string(era) + (*grant)->lines;
  out.headers = headers;
  out.facts = &facts;
  Result<T> sent = co_await (inner_.get()->*send)(out);
  if (!IsRefused(facts)) co_return sent;
  Refusal refused{.grant = *grant, .status = facts.status, .challenge = facts.challenge};
  Result<GrantPtr> another =
      co_await GrantOf(source_, caller, whose == nullptr, std::move(refused), deps_, out.deadline);
  // A 403 may carry an answer, and nothing better is known.
  if (!another && facts.status == 403 && another.error().visit.empty()) co_return sent;
  if (!another) co_return Failure(std::move(another.error()));
  headers = std::string(era) + (*another)->lines;
  out.headers = headers;
  facts = {};
  Result<T> again = co_await (inner_.get()->*send)(out);
  co_return again;
}

Task<Result<ReplyPtr>> Authorized::Request(Outgoing out) {
  return Send<ReplyPtr>(out, &Transport::Request);
}

Task<Result<void>> Authorized::Notify(Outgoing out) { return Send<void>(out, &Transport::Notify); }

Task<Result<ReplyPtr>> Authorized::OpenStream(Outgoing out) {
  return Send<ReplyPtr>(out, &Transport::OpenStream);
}

// A farewell is worth no token of its own: the server ends an idle session by itself.
Task<Result<void>> Authorized::EndSession(Outgoing out) {
  const Caller* whose = CallerOf(out);
  Result<GrantPtr> grant = source_->Find(whose);
  if (!grant) co_return Failure(std::move(grant.error()));
  if (*grant == nullptr) {
    co_return Failure(Code::kUnavailable, Origin::kGateway, "no credentials at hand");
  }
  const std::string headers = std::string(out.headers) + (*grant)->lines;
  out.headers = headers;
  Result<void> ended = co_await inner_->EndSession(out);
  co_return ended;
}

}  // namespace switchyard::downstream
