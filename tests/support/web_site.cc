#include "support/web_site.h"

#include <algorithm>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

namespace switchyard::tests {
namespace {

std::size_t LengthIn(const std::string& headers) {
  const std::string name = "Content-Length: ";
  const std::size_t at = headers.find(name);
  return at == std::string::npos ? 0 : std::stoul(headers.substr(at + name.size()));
}

}  // namespace

WebSite::WebSite()
    : acceptor_(context_.get_executor(),
                net::ip::tcp::endpoint(net::ip::address_v4::loopback(), 0)) {
  port_ = acceptor_.local_endpoint().port();
  Spawn(context_.get_executor(), "web site", Accept());
  thread_ = std::thread([this] { context_.run(); });
}

WebSite::~WebSite() {
  context_.stop();
  thread_.join();
}

void WebSite::Set(const std::string& path, Page page) {
  const std::lock_guard lock(mutex_);
  pages_[path] = std::move(page);
}

void WebSite::Answers(Handler handler) {
  const std::lock_guard lock(mutex_);
  handler_ = std::move(handler);
}

std::vector<WebSite::Request> WebSite::requests() const {
  const std::lock_guard lock(mutex_);
  return requests_;
}

std::size_t WebSite::count(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::size_t>(std::ranges::count(requests_, path, &Request::path));
}

WebSite::Page WebSite::PageFor(const Request& request) {
  const std::lock_guard lock(mutex_);
  requests_.push_back(request);
  if (handler_) return handler_(request);
  const auto found = pages_.find(request.path);
  return found == pages_.end() ? Page{.status = 404} : found->second;
}

Task<void> WebSite::Accept() {
  for (;;) {
    boost::system::error_code error;
    auto socket = std::make_shared<Socket>(context_.get_executor());
    co_await acceptor_.async_accept(*socket, net::redirect_error(use_task, error));
    if (error) co_return;
    Spawn(context_.get_executor(), "visitor", Serve(std::move(socket)));
  }
}

Task<void> WebSite::Serve(std::shared_ptr<Socket> socket) {
  std::string input;
  for (;;) {
    boost::system::error_code error;
    const std::size_t end = co_await net::async_read_until(
        *socket, net::dynamic_buffer(input), "\r\n\r\n", net::redirect_error(use_task, error));
    if (error) co_return;
    Request request;
    const std::size_t line = input.find("\r\n");
    const std::size_t space = input.find(' ');
    request.method = input.substr(0, space);
    request.path = input.substr(space + 1, input.find(' ', space + 1) - space - 1);
    request.headers = input.substr(line + 2, end - line - 2);
    input.erase(0, end);
    const std::size_t length = LengthIn(request.headers);
    while (input.size() < length) {
      char piece[4096];
      const std::size_t got = co_await socket->async_read_some(
          net::buffer(piece), net::redirect_error(use_task, error));
      if (error) co_return;
      input.append(piece, got);
    }
    request.body = input.substr(0, length);
    input.erase(0, length);
    const Page page = PageFor(request);
    if (page.silent) continue;
    const std::string answer = "HTTP/1.1 " + std::to_string(page.status) +
                               " Word\r\nContent-Type: application/json\r\n" + page.headers +
                               "Content-Length: " + std::to_string(page.body.size()) + "\r\n\r\n" +
                               page.body;
    co_await net::async_write(*socket, net::buffer(answer), net::redirect_error(use_task, error));
    if (error) co_return;
  }
}

}  // namespace switchyard::tests
