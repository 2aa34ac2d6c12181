// What a C and C++ library would supply: the entry point, the few functions that the compiler calls on its
// own, and memory. Used only where sys_linux.cc is.
#include <cstddef>
#include <cstdint>
#include <new>

#include "sys.h"

int gomacc_main(int argc, char** argv, char** env);

#if defined(__x86_64__)
asm(R"(
  .globl _start
  .type _start, @function
_start:
  xor %ebp, %ebp
  mov %rsp, %rdi
  and $-16, %rsp
  call gomacc_start
)");
#elif defined(__aarch64__)
asm(R"(
  .globl _start
  .type _start, %function
_start:
  mov x29, #0
  mov x30, #0
  mov x0, sp
  and sp, x0, #-16
  bl gomacc_start
)");
#endif

// The stack as the kernel leaves it: argc, argv, a null, the environment, a null.
extern "C" [[noreturn, gnu::used]] void gomacc_start(long* stack) {
  auto argc = static_cast<int>(stack[0]);
  auto argv = reinterpret_cast<char**>(stack + 1);
  sys::exit(gomacc_main(argc, argv, argv + argc + 1));
}

// The empty asm keeps the compiler from recognising each loop as the very function that it implements.
extern "C" {

[[gnu::used]] void* memcpy(void* __restrict to, const void* __restrict from, std::size_t size) {
#if defined(__x86_64__)
  void* start = to;
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
  return start;
#else
  auto out = static_cast<unsigned char*>(to);
  auto in = static_cast<const unsigned char*>(from);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = in[i];
    asm volatile("" ::: "memory");
  }
  return to;
#endif
}

[[gnu::used]] void* memmove(void* to, const void* from, std::size_t size) {
  auto out = static_cast<unsigned char*>(to);
  auto in = static_cast<const unsigned char*>(from);
  if (out <= in || out >= in + size) {
    for (std::size_t i = 0; i < size; ++i) {
      out[i] = in[i];
      asm volatile("" ::: "memory");
    }
  } else {
    for (std::size_t i = size; i > 0; --i) {
      out[i - 1] = in[i - 1];
      asm volatile("" ::: "memory");
    }
  }
  return to;
}

[[gnu::used]] void* memset(void* data, int value, std::size_t size) {
  auto out = static_cast<unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    out[i] = static_cast<unsigned char>(value);
    asm volatile("" ::: "memory");
  }
  return data;
}

[[gnu::used]] int memcmp(const void* left, const void* right, std::size_t size) {
  auto a = static_cast<const unsigned char*>(left);
  auto b = static_cast<const unsigned char*>(right);
  for (std::size_t i = 0; i < size; ++i) {
    if (a[i] != b[i]) return a[i] < b[i] ? -1 : 1;
    asm volatile("" ::: "memory");
  }
  return 0;
}

[[gnu::used]] int bcmp(const void* left, const void* right, std::size_t size) {
  return memcmp(left, right, size);
}

[[gnu::used]] void* memchr(const void* data, int value, std::size_t size) {
  auto in = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) {
    if (in[i] == static_cast<unsigned char>(value)) return const_cast<unsigned char*>(in + i);
    asm volatile("" ::: "memory");
  }
  return nullptr;
}

[[gnu::used]] std::size_t strlen(const char* text) {
  std::size_t size = 0;
  while (text[size] != '\0') {
    ++size;
    asm volatile("" ::: "memory");
  }
  return size;
}

}  // extern "C"

namespace {

[[noreturn]] void give_up(const char* why) {
  sys::write(2, "gomacc: ", 8);
  sys::write(2, why, strlen(why));
  sys::write(2, "\n", 1);
  sys::exit(125);
}

// Memory is handed out and never taken back: gomacc lives for one command and needs some 50 KiB. Buffers
// that grow large are mapped on their own and given back.
alignas(16) unsigned char first_block[64 << 10];
unsigned char* next_free = first_block;
std::size_t bytes_left = sizeof first_block;

void* allocate(std::size_t size) {
  constexpr std::size_t kBlock = 256 << 10;
  size = (size + 15) & ~std::size_t{15};
  if (size > bytes_left) {
    std::size_t block = size > kBlock ? size : kBlock;
    next_free = static_cast<unsigned char*>(sys::map(block));
    if (next_free == nullptr) give_up("out of memory");
    bytes_left = block;
  }
  unsigned char* result = next_free;
  next_free += size;
  bytes_left -= size;
  return result;
}

}  // namespace

void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void*) noexcept {}
void operator delete[](void*) noexcept {}
void operator delete(void*, std::size_t) noexcept {}
void operator delete[](void*, std::size_t) noexcept {}

// The standard headers call these where they would throw.
namespace std {
[[noreturn]] void __throw_length_error(const char* why) { give_up(why); }
[[noreturn]] void __throw_logic_error(const char* why) { give_up(why); }
[[noreturn]] void __throw_out_of_range_fmt(const char* why, ...) { give_up(why); }
[[noreturn]] void __throw_bad_alloc() { give_up("out of memory"); }
[[noreturn]] void __throw_bad_array_new_length() { give_up("out of memory"); }
[[noreturn]] void __throw_bad_optional_access() { give_up("internal error"); }
#ifdef _GLIBCXX_ASSERTIONS
[[noreturn]] void __glibcxx_assert_fail(const char*, int, const char*, const char* what) noexcept {
  give_up(what);
}
#endif
}  // namespace std
