// Certificates for tests of TLS, made when they are needed: an authority, and what it signs. Elliptic curves,
// because these keys are quick to make. Texts are PEM.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>

namespace fake {

class Identity {
 public:
  // Signed by `authority`, or by itself without one. `lifetime_s` below 0: expired an hour and so long ago.
  Identity(const std::string& name, const Identity* authority = nullptr, long lifetime_s = 3600)
      : key_(EVP_EC_gen("P-256"), EVP_PKEY_free), certificate_(X509_new(), X509_free) {
    X509* certificate = certificate_.get();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), ++serial_);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -7200);
    X509_gmtime_adj(X509_getm_notAfter(certificate), lifetime_s);
    X509_set_pubkey(certificate, key_.get());
    X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_ASC,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    const Identity& signer = authority != nullptr ? *authority : *this;
    X509_set_issuer_name(certificate, X509_get_subject_name(signer.certificate_.get()));
    X509V3_CTX context;
    X509V3_set_ctx(&context, signer.certificate_.get(), certificate, nullptr, nullptr, 0);
    add(context, NID_basic_constraints, authority != nullptr ? "CA:FALSE" : "critical,CA:TRUE");
    add(context, NID_subject_alt_name, "DNS:" + name);
    X509_sign(certificate, signer.key_.get(), EVP_sha256());
  }

  std::string certificate() const {
    std::unique_ptr<BIO, void (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free_all);
    PEM_write_bio_X509(out.get(), certificate_.get());
    return text(out.get());
  }

  std::string key() const {
    std::unique_ptr<BIO, void (*)(BIO*)> out(BIO_new(BIO_s_mem()), BIO_free_all);
    PEM_write_bio_PrivateKey(out.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return text(out.get());
  }

 private:
  void add(X509V3_CTX& context, int what, const std::string& value) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, what, value.c_str());
    X509_add_ext(certificate_.get(), extension, -1);
    X509_EXTENSION_free(extension);
  }

  static std::string text(BIO* bio) {
    char* bytes = nullptr;
    long size = BIO_get_mem_data(bio, &bytes);
    return std::string(bytes, static_cast<std::size_t>(size));
  }

  inline static long serial_ = 0;
  std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key_;
  std::unique_ptr<X509, void (*)(X509*)> certificate_;
};

}  // namespace fake
