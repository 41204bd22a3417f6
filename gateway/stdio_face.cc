#include "stdio_face.h"

#include <string>
#include <unistd.h>

#include "readiness.h"

namespace switchyard {
namespace {

constexpr std::size_t kMaxLine = 16 * 1024 * 1024;

}  // namespace

std::future<void> StdioFace::Serve(Worker& worker, Readiness& readiness, int in, int out) {
  const auto done = std::make_shared<std::promise<void>>();
  std::future<void> over = done->get_future();
  const auto ready = std::make_shared<Ready>();
  worker.Do([&] {
    server_ = std::make_shared<edge::StdioServer>(
        worker.deps().executor(), in, out, *worker.FindEndpoint(""), worker.sessions(), kMaxLine);
    ready_ = ready;
    Spawn(worker.deps().executor(), "stdio server",
          [](StdioFace& face, std::shared_ptr<Service> /*in use till the end*/,
             std::shared_ptr<Ready> settled, Timers& timers,
             std::shared_ptr<std::promise<void>> left) -> Task<void> {
            co_await face.Run(std::move(settled), timers);
            face.server_ = nullptr;
            left->set_value();
          }(*this, worker.FindEndpoint(""), ready, worker.deps().timers, done));
  });
  // It belongs to the worker's thread, which has it by then, if it still does.
  readiness.OnSettled([&worker, waiting = std::weak_ptr(ready)] {
    worker.Post([waiting] {
      if (const std::shared_ptr<Ready> still = waiting.lock()) still->Put(true);
    });
  });
  return over;
}

std::future<void> StdioFace::Refuse(int in, int out) {
  ::close(in);
  if (out != in) ::close(out);
  std::promise<void> over;
  over.set_value();
  return over.get_future();
}

Task<void> StdioFace::Run(std::shared_ptr<Ready> ready, Timers& timers) {
  {
    const Timers::Handle late = timers.In(kPatience, [&ready] { ready->Put(false); });
    co_await ready->Take();
  }
  co_await server_->Run();
}

void StdioFace::End(Worker& worker) {
  worker.Do([&] {
    if (server_ == nullptr) return;
    server_->EndInput();
    if (const std::shared_ptr<Ready> waiting = ready_.lock()) waiting->Put(false);
  });
}

void StdioFace::Abort(Worker& worker) {
  worker.Do([&] {
    if (server_ == nullptr) return;
    server_->Abort();
    if (const std::shared_ptr<Ready> waiting = ready_.lock()) waiting->Put(false);
  });
}

bool StdioFace::IsOpen(Worker& worker) {
  bool open = false;
  worker.Do([&] { open = server_ != nullptr; });
  return open;
}

}  // namespace switchyard
