#include "remote/pieces.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <utility>

#include "base/fd.h"
#include "base/zstd.h"
#include "base/zstd_stream.h"

namespace remote {
namespace {

// What a compressor is fed with at a time.
constexpr std::size_t kFeed = 128 << 10;

// Of a blob, to judge it by.
constexpr std::size_t kSample = 32 << 10;

Failure changed(const Source& source) {
  std::string name =
      source.path.empty() ? "a blob of " + std::to_string(source.digest.size) + " bytes" : source.path;
  return {Cause::local, name + " has changed since it was hashed"};
}

class PlainPieces : public Pieces {
 public:
  explicit PlainPieces(const Source& source) : source_(source) {}

  Remote<std::string> next(std::size_t most) override {
    if (done_) return std::string();
    std::size_t left = size() - at_;
    std::string piece;
    if (source_.path.empty()) {
      if (source_.bytes.size() != size()) return changed(source_);
      piece = source_.bytes.substr(at_, most);
    } else {
      Remote<std::string> read = read_file(std::min(most, left));
      if (!read) return read;
      piece = std::move(*read);
    }
    hasher_.update(piece);
    at_ += piece.size();
    if (at_ < size()) return piece;
    done_ = true;
    if (!at_end() || hasher_.finish() != source_.digest) return changed(source_);
    return piece;
  }

  bool done() const override { return done_; }

 private:
  std::size_t size() const { return static_cast<std::size_t>(source_.digest.size); }

  Remote<std::string> read_file(std::size_t want) {
    if (!file_) {
      base::Result<base::Fd> file = base::open_file(source_.path, O_RDONLY);
      if (!file) return Failure{Cause::local, file.error().message};
      file_ = std::move(*file);
    }
    std::string piece(want, '\0');
    std::size_t filled = 0;
    while (filled < want) {
      ssize_t got = ::read(file_.get(), piece.data() + filled, want - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return Failure{Cause::local, base::io_error("read " + source_.path, errno).message};
      if (got == 0) return changed(source_);
      filled += static_cast<std::size_t>(got);
    }
    return piece;
  }

  bool at_end() const {
    if (source_.path.empty()) return true;
    char more;
    return ::read(file_.get(), &more, 1) == 0;
  }

  const Source& source_;
  base::Fd file_;
  base::Hasher hasher_;
  std::size_t at_ = 0;
  bool done_ = false;
};

class ZstdPieces : public Pieces {
 public:
  explicit ZstdPieces(const Source& source)
      : plain_(source), encoder_(static_cast<std::uint64_t>(source.digest.size), kZstdLevel) {}

  Remote<std::string> next(std::size_t most) override {
    // One piece more than is wanted is kept ready, so that done() tells the truth.
    while (ready_.size() - at_ <= most && !plain_.done()) {
      Remote<std::string> piece = plain_.next(kFeed);
      if (!piece) return piece;
      ready_.erase(0, std::exchange(at_, 0));
      base::Result<void> added = encoder_.add(*piece, plain_.done(), ready_);
      if (!added) return Failure{Cause::local, added.error().message};
    }
    std::string piece = ready_.substr(at_, most);
    at_ += piece.size();
    return piece;
  }

  bool done() const override { return plain_.done() && at_ == ready_.size(); }

 private:
  PlainPieces plain_;
  base::ZstdEncoder encoder_;
  std::string ready_;
  std::size_t at_ = 0;  // what of ready_ has been given
};

std::string sample_of(const Source& source) {
  if (source.path.empty()) return source.bytes.substr(0, kSample);
  base::Result<base::Fd> file = base::open_file(source.path, O_RDONLY);
  if (!file) return {};
  std::string sample(kSample, '\0');
  ssize_t got = ::read(file->get(), sample.data(), sample.size());
  sample.resize(got > 0 ? static_cast<std::size_t>(got) : 0);
  return sample;
}

}  // namespace

std::unique_ptr<Pieces> make_pieces(const Source& source, bool zstd) {
  if (zstd) return std::make_unique<ZstdPieces>(source);
  return std::make_unique<PlainPieces>(source);
}

Remote<std::string> read_whole(const Source& source) {
  PlainPieces pieces(source);
  return pieces.next(static_cast<std::size_t>(source.digest.size));
}

bool is_compressible(const Source& source) {
  if (static_cast<std::size_t>(source.digest.size) < kLeastCompressed) return false;
  std::string sample = sample_of(source);
  base::Result<std::string> frame = base::zstd_compress(sample, kZstdLevel);
  return frame && frame->size() < sample.size() - sample.size() / 10;
}

}  // namespace remote
