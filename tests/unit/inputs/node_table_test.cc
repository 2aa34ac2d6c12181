#include "inputs/node_table.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "base/thread.h"

using inputs::kNoNode;
using inputs::NodeId;
using inputs::NodeTable;

TEST_CASE("the same name in the same directory is the same node") {
  NodeTable table;
  NodeId usr = table.intern(NodeTable::kRoot, "usr");
  CHECK(table.intern(NodeTable::kRoot, "usr") == usr);
  CHECK(table.intern(usr, "usr") != usr);
  CHECK(table.lookup(NodeTable::kRoot, "usr") == usr);
  CHECK(table.lookup(usr, "include") == kNoNode);
  CHECK(table.size() == 3);
}

TEST_CASE("paths are made of the names on the way") {
  NodeTable table;
  NodeId include = table.intern(table.intern(NodeTable::kRoot, "usr"), "include");
  CHECK(table.path(NodeTable::kRoot) == "/");
  CHECK(table.path(include) == "/usr/include");
  CHECK(table.path(table.intern(include, "a b")) == "/usr/include/a b");
  std::string buffer;
  for (const char* round : {"first", "used"}) {
    CAPTURE(round);
    CHECK(table.path(table.intern(include, "a b"), buffer) == "/usr/include/a b");
    CHECK(table.path(include, buffer) == "/usr/include");
    CHECK(table.path(NodeTable::kRoot, buffer) == "/");
  }
}

TEST_CASE("a new node must be looked at") {
  NodeTable table;
  CHECK(table.word(NodeTable::kRoot) == inputs::kLook);
  CHECK(table.word(table.intern(NodeTable::kRoot, "a")) == inputs::kLook);
}

TEST_CASE("a directory lists its children") {
  NodeTable table;
  NodeId a = table.intern(NodeTable::kRoot, "a");
  NodeId b = table.intern(NodeTable::kRoot, "b");
  table.intern(a, "c");
  std::set<NodeId> children;
  for (NodeId at = table.node(NodeTable::kRoot).first_child; at != kNoNode;
       at = table.node(at).next_sibling) {
    children.insert(at);
  }
  CHECK(children == std::set<NodeId>{a, b});
}

TEST_CASE("names are kept when there are many, and long ones too") {
  NodeTable table;
  std::vector<NodeId> nodes;
  auto name = [](int i) {
    return std::string(static_cast<std::size_t>(1 + i % 255), 'a') + std::to_string(i);
  };
  for (int i = 0; i < 5000; ++i) {
    if (name(i).size() <= NodeTable::kMaxName) nodes.push_back(table.intern(NodeTable::kRoot, name(i)));
  }
  std::size_t at = 0;
  for (int i = 0; i < 5000; ++i) {
    if (name(i).size() > NodeTable::kMaxName) continue;
    REQUIRE(table.path(nodes[at]) == "/" + name(i));
    REQUIRE(table.lookup(NodeTable::kRoot, name(i)) == nodes[at]);
    ++at;
  }
}

TEST_CASE("threads that ask for the same names get the same nodes") {
  NodeTable table;
  std::vector<std::vector<NodeId>> seen(4);
  {
    std::vector<base::Thread> threads;
    for (auto& mine : seen) {
      threads.emplace_back("ask", [&] {
        for (int i = 0; i < 3000; ++i) mine.push_back(table.intern(NodeTable::kRoot, std::to_string(i)));
      });
    }
  }
  CHECK(table.size() == 3001);
  for (const auto& mine : seen) CHECK(mine == seen.front());
}
