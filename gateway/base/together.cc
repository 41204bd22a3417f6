#include "base/together.h"

#include <algorithm>

#include <boost/asio/post.hpp>

namespace switchyard {

thread_local Together* Together::current = nullptr;

Together::Together() : outer_(current) {
  if (outer_ == nullptr) current = this;
}

Together::~Together() {
  if (outer_ != nullptr) return;
  current = nullptr;
  for (auto& [executor, works] : loops_) {
    net::post(executor, [all = std::move(works)]() mutable {
      for (Work& work : all) work();
    });
  }
}

void Together::Post(Executor executor, Work work) {
  if (current == nullptr) {
    net::post(executor, std::move(work));
    return;
  }
  auto& loops = current->loops_;
  auto loop = std::ranges::find(loops, executor, [](const auto& known) { return known.first; });
  if (loop == loops.end()) loop = loops.emplace(loops.end(), executor, std::vector<Work>());
  loop->second.push_back(std::move(work));
}

}  // namespace switchyard
