// Services that a test writes by hand, at a port of the loopback interface.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <initializer_list>
#include <memory>
#include <string>

namespace fake {

// The last member of the class that serves: calls come as soon as it is made, and none is left when it ends.
class Listening {
 public:
  Listening(std::initializer_list<grpc::Service*> services) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    for (grpc::Service* service : services) builder.RegisterService(service);
    server_ = builder.BuildAndStart();
  }
  ~Listening() { server_->Shutdown(std::chrono::system_clock::time_point()); }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;

  std::string url() const { return "grpc://127.0.0.1:" + std::to_string(port_); }

 private:
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace fake
