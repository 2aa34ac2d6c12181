#include "remote/tls_files.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>

#include "remote/connection.h"

namespace remote {
namespace {

template <auto free_it>
struct Free {
  template <class T>
  void operator()(T* object) const {
    free_it(object);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Certificate = std::unique_ptr<X509, Free<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY_free>>;

Bio bio_of(const std::string& text) {
  return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

// A key under a passphrase is not asked about on some terminal: it counts as unreadable.
int no_passphrase(char*, int, int, void*) { return -1; }

Certificate certificate_of(const std::string& text) {
  return Certificate(PEM_read_bio_X509(bio_of(text).get(), nullptr, no_passphrase, nullptr));
}

base::Result<std::string> read_pem(const std::string& path, const char* what, base::Files& disk) {
  auto text = disk.read(path);
  if (!text) return base::Error{text.error().kind, std::string(what) + ": " + text.error().message};
  return text;
}

}  // namespace

TlsStamp stamp_of(const TlsFiles& files, base::Files& disk) {
  TlsStamp stamp;
  std::size_t at = 0;
  for (const std::string* path : {&files.ca, &files.certificate, &files.key}) {
    base::FileStat& place = stamp[at++];
    if (path->empty()) continue;
    auto stat = disk.stat(*path);
    if (stat) place = *stat;
  }
  return stamp;
}

base::Result<TlsTexts> read_tls(const TlsFiles& files, base::Files& disk) {
  TlsTexts texts;
  if (!files.ca.empty()) {
    auto text = read_pem(files.ca, "the file of certificate authorities", disk);
    if (!text) return text.error();
    if (!certificate_of(*text)) return base::invalid(files.ca + " holds no certificate in PEM form");
    texts.ca = std::move(*text);
  }
  if (files.certificate.empty() && files.key.empty()) return texts;
  if (files.certificate.empty() || files.key.empty()) {
    return base::invalid("a client certificate needs its key, and a key its certificate: only one is given");
  }
  auto certificate = read_pem(files.certificate, "the client certificate", disk);
  if (!certificate) return certificate.error();
  auto key = read_pem(files.key, "the client certificate's key", disk);
  if (!key) return key.error();
  Certificate parsed = certificate_of(*certificate);
  if (!parsed) return base::invalid(files.certificate + " holds no certificate in PEM form");
  Key parsed_key(PEM_read_bio_PrivateKey(bio_of(*key).get(), nullptr, no_passphrase, nullptr));
  if (!parsed_key) return base::invalid(files.key + " holds no key in PEM form without a passphrase");
  if (X509_check_private_key(parsed.get(), parsed_key.get()) != 1) {
    return base::invalid(files.key + " is not the key of " + files.certificate);
  }
  texts.certificate = std::move(*certificate);
  texts.key = std::move(*key);
  return texts;
}

}  // namespace remote
