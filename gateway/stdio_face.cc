#include "stdio_face.h"

#include <future>
#include <string>

namespace switchyard {
namespace {

constexpr std::size_t kMaxLine = 16 * 1024 * 1024;

}  // namespace

void StdioFace::Serve(Worker& worker, int in, int out) {
  const auto done = std::make_shared<std::promise<void>>();
  worker.Do([&] {
    server_ = std::make_shared<edge::StdioServer>(
        worker.deps().executor(), in, out, *worker.FindEndpoint(""), worker.sessions(), kMaxLine);
    Spawn(worker.deps().executor(), "stdio server",
          [](StdioFace& face, std::shared_ptr<Service> /*in use till the end*/,
             std::shared_ptr<std::promise<void>> over) -> Task<void> {
            co_await face.server_->Run();
            face.server_ = nullptr;
            over->set_value();
          }(*this, worker.FindEndpoint(""), done));
  });
  done->get_future().wait();
}

void StdioFace::End(Worker& worker) {
  worker.Do([&] {
    if (server_ != nullptr) server_->EndInput();
  });
}

void StdioFace::Abort(Worker& worker) {
  worker.Do([&] {
    if (server_ != nullptr) server_->Abort();
  });
}

bool StdioFace::IsOpen(Worker& worker) {
  bool open = false;
  worker.Do([&] { open = server_ != nullptr; });
  return open;
}

}  // namespace switchyard
