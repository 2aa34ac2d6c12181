// A connection to the fake engine, for tests of what speaks to one.
#pragma once

#include <string>

#include "fake/fake_credentials.h"
#include "fake/reapi_server.h"
#include "remote/connection.h"
#include "wire/reapi.grpc.pb.h"

namespace fake {

inline remote::Endpoint endpoint_at(const std::string& url) {
  auto endpoint = remote::parse_endpoint(url);
  return endpoint ? *endpoint : remote::Endpoint{};
}

class RemoteCaller {
 public:
  explicit RemoteCaller(const std::string& url, remote::TlsFiles tls = {},
                        base::Clock& clock = base::real_clock())
      : connection(endpoint_at(url), std::move(tls), credentials, clock) {}

  // One FindMissingBlobs without digests: the cheapest call there is.
  remote::Remote<void> ask(remote::CallOptions options = {"FindMissingBlobs"},
                           const std::stop_token& stop = {}) {
    return connection.run(options, call, stop,
                          [&](grpc::ClientContext& context, const remote::Connection::Channel& channel) {
                            auto stub = re::ContentAddressableStorage::NewStub(channel);
                            re::FindMissingBlobsResponse answer;
                            return stub->FindMissingBlobs(&context, request, &answer);
                          });
  }

  FakeCredentials credentials;
  remote::Call call{"build-1", "abc123", "out/a.o"};
  re::FindMissingBlobsRequest request;
  remote::Connection connection;
};

}  // namespace fake
