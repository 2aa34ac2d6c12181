// The status page and its API: http on loopback only, behind our own small interface so that the library
// underneath can be exchanged. It carries no compile.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "base/result.h"

namespace serve {

struct HttpRequest {
  std::string method;  // GET or POST; a HEAD arrives as GET
  std::string path;    // without the query
  std::map<std::string, std::string> query;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
};

struct HttpResponse {
  int status = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
  std::map<std::string, std::string> headers;
};

struct HttpOptions {
  std::string address = "127.0.0.1";  // loopback only; anything else is refused at start
  int first_port = 8088;              // 0: any free port
  int ports = 10;
  std::string token;  // every POST must bring it as X-Goma-Token
};

// Handlers are called from pool threads with small stacks. Before them come the checks: the peer is a process
// of our own user, the request is small, Host and Origin are ours, a POST brings the token. A connection that
// has sent nothing yet costs a descriptor and no thread, so idle browsers starve nobody; each answers one
// request and is closed.
class HttpServer {
 public:
  using Handler = std::function<HttpResponse(const HttpRequest&)>;
  HttpServer(HttpOptions options, Handler handler);
  ~HttpServer();  // stops and joins

  // Binds the first free port of the range and starts to serve. `io` when all are taken.
  base::Result<int> start();

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace serve
