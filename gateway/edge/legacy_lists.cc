#include "edge/legacy_lists.h"

#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>

#include "base/mailbox.h"

namespace switchyard::edge {

Task<void> LearnLists(std::shared_ptr<Session> session, Sessions& sessions) {
  if (session->home == sessions.worker()) co_return;
  const Executor executor = co_await net::this_coro::executor;
  const auto answer = std::make_shared<Mailbox<ListsKnown>>();
  const bool asked = sessions.OnWorker(
      session->home, [client = session->client, executor, answer](Sessions& home) {
        const std::shared_ptr<Session> known = home.Known(client->session);
        net::post(executor, [answer, lists = known != nullptr ? known->lists : ListsKnown()] {
          answer->Put(lists);
        });
      });
  if (!asked) co_return;
  const ListsKnown lists = co_await answer->Take();
  session->lists.Merge(lists);
}

void NoteLists(Session& session, Sessions& sessions, const ListsKnown& lists) {
  session.lists.Merge(lists);
  if (session.home == sessions.worker()) return;
  sessions.OnWorker(session.home, [client = session.client, lists](Sessions& home) {
    const std::shared_ptr<Session> known = home.Known(client->session);
    if (known != nullptr) known->lists.Merge(lists);
  });
}

void ForgetLists(Session& session, Sessions& sessions) {
  session.lists = {};
  sessions.Tell(session.client->session, [](Session& known) { known.lists = {}; });
}

}  // namespace switchyard::edge
