// The inside of the fake engine: what its services share. Only its own sources include it.
#pragma once

#include <atomic>
#include <deque>
#include <thread>
#include <utility>

#include "fake/reapi_server.h"
#include "wire/bytestream.grpc.pb.h"
#include "wire/longrunning.grpc.pb.h"
#include "wire/reapi.grpc.pb.h"

namespace fake {

struct Cut {
  int after = 0;
  grpc::Status status;
};

// What holds for one call: recorded at its begin, and how it is to end early.
struct Ticket {
  std::optional<grpc::Status> end;
  std::optional<Cut> cut;
  bool damaged = false;
};

// Calls seen, and hooks. Any thread.
class Book {
 public:
  // Keeps calls from beginning and ending.
  std::unique_lock<std::mutex> lock() const { return std::unique_lock(mutex_); }

  // Records the call and asks the hooks.
  Ticket begin(const std::string& method, grpc::ServerContext& context, std::string request);
  void end();

  void on(const std::string& method, ReapiServer::Hook hook);
  void fail(const std::string& method, const grpc::Status& status, int times);
  void cut(const std::string& method, const Cut& cut, int times);
  void damage(const std::string& method, int times);

  std::vector<Seen> seen(const std::string& method) const;
  bool wait_for(const std::string& method, int calls) const;
  std::size_t connections() const;
  int most_at_once() const;

 private:
  struct Plan {
    ReapiServer::Hook hook;
    std::deque<grpc::Status> failures;
    std::deque<Cut> cuts;
    int damages = 0;
    std::vector<Seen> seen;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable began_;
  std::map<std::string, Plan> plans_;  // guarded by mutex_
  std::set<std::string> peers_;        // guarded by mutex_
  int at_once_ = 0;                    // guarded by mutex_
  int most_at_once_ = 0;               // guarded by mutex_
};

// Begins a call and ends it with the scope.
class Guard {
 public:
  Guard(Book& book, const std::string& method, grpc::ServerContext& context,
        const google::protobuf::Message& request)
      : Guard(book, method, context, request.SerializeAsString()) {}
  Guard(Book& book, const std::string& method, grpc::ServerContext& context, std::string request)
      : book_(book), ticket_(book.begin(method, context, std::move(request))) {}
  ~Guard() { book_.end(); }
  const Ticket* operator->() const { return &ticket_; }

 private:
  Book& book_;
  Ticket ticket_;
};

// Blobs and entries. Any thread.
class Shelf {
 public:
  static std::string key(const std::string& hash, std::int64_t size) {
    return hash + "/" + std::to_string(size);
  }
  static std::string key(const re::Digest& digest) { return key(digest.hash(), digest.size_bytes()); }

  // INVALID_ARGUMENT when the bytes are not those of the key.
  grpc::Status put(const std::string& key, const std::string& bytes);
  std::optional<std::string> get(const std::string& key) const;
  bool has(const std::string& key) const;
  void erase(const std::string& key);
  void clear();
  int uploads(const std::string& key) const;
  void put_result(const std::string& key, const re::ActionResult& result);
  std::optional<re::ActionResult> result(const std::string& key) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, std::string> blobs_;         // guarded by mutex_
  std::map<std::string, re::ActionResult> results_;  // guarded by mutex_
  std::map<std::string, int> uploads_;               // guarded by mutex_
};

// Puts small outputs into the result, where the client asked.
void add_inline(const Shelf& shelf, bool out, bool err,
                const google::protobuf::RepeatedPtrField<std::string>& paths, re::ActionResult& result);

// The services. Each holds what it needs of the state.
std::unique_ptr<grpc::Service> make_capabilities(Book& book, ReapiTraits& traits);
std::unique_ptr<grpc::Service> make_cas(Book& book, ReapiTraits& traits, Shelf& shelf);
std::unique_ptr<grpc::Service> make_byte_stream(Book& book, ReapiTraits& traits, Shelf& shelf);
std::unique_ptr<grpc::Service> make_action_cache(Book& book, ReapiTraits& traits, Shelf& shelf);

// Operations, and the threads that run them. Its services come from it and live as long.
class Floor {
 public:
  Floor(Book& book, ReapiTraits& traits, Shelf& shelf);
  ~Floor();
  grpc::Service& execution();
  grpc::Service& operations();
  void runner(ReapiServer::Runner runner);
  // Cancels and forgets all, and waits for the runner.
  void forget();

  class State;

 private:
  std::unique_ptr<State> state_;
};

class ReapiServer::State {
 public:
  explicit State(ReapiTraits given) : traits(std::move(given)), floor(book, traits, shelf) {}

  Book book;
  Shelf shelf;
  ReapiTraits traits;
  Floor floor;
  std::vector<std::unique_ptr<grpc::Service>> services;
  std::unique_ptr<grpc::Server> server;
  std::string address;
};

}  // namespace fake
