/* SPDX-License-Identifier: Apache-2.0 */
/* tls_peer.c: reads the certificate of a TLS peer: dates, names, chain, each judged by itself, so that one fault does
 * not hide another. RFC 5280, RFC 6125. Lets nobody in: that is OpenSSL's own verification, set up in tls.c. */
#include "net/tls_peer.h"

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "net/stream_io.h"

static int64_t seconds_of(const ASN1_TIME *at)
{
    struct tm tm;

    return ASN1_TIME_to_tm(at, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

/* ---- names ---- */

static void append(char text[static TLS_PEER_TEXT_MAX], const char *more, size_t n)
{
    size_t used = strlen(text);

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)more[i] < 0x20 || (unsigned char)more[i] > 0x7e)
            return; /* a name with control bytes is none that we want to show */
    snprintf(text + used, TLS_PEER_TEXT_MAX - used, "%s%.*s", used ? ", " : "", (int)n, more);
}

static void append_general(char text[static TLS_PEER_TEXT_MAX], const GENERAL_NAME *name)
{
    char address[INET6_ADDRSTRLEN];
    const ASN1_OCTET_STRING *ip = name->type == GEN_IPADD ? name->d.iPAddress : NULL;

    if (name->type == GEN_DNS || name->type == GEN_URI)
        append(text, (const char *)ASN1_STRING_get0_data(name->d.ia5), (size_t)ASN1_STRING_length(name->d.ia5));
    else if (ip && (ASN1_STRING_length(ip) == 4 || ASN1_STRING_length(ip) == 16) &&
             inet_ntop(ASN1_STRING_length(ip) == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(ip), address,
                       sizeof(address)))
        append(text, address, strlen(address));
}

static void common_name(char text[static TLS_PEER_TEXT_MAX], X509_NAME *name)
{
    char value[128];
    int n = X509_NAME_get_text_by_NID(name, NID_commonName, value, sizeof(value));

    if (n > 0)
        append(text, value, (size_t)n);
}

static void read_names(struct tls_peer *peer, X509 *certificate)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);

    for (int i = 0; names && i < sk_GENERAL_NAME_num(names); i++)
        append_general(peer->names, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    if (!peer->names[0])
        common_name(peer->names, X509_get_subject_name(certificate));
    common_name(peer->issuer, X509_get_issuer_name(certificate));
}

static bool is_for(X509 *certificate, const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    if (inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1)
        return X509_check_ip_asc(certificate, name, 0) == 1;
    return X509_check_host(certificate, name, strlen(name), 0, NULL) == 1;
}

/* ---- chain ---- */

static void check_chain(struct tls_peer *peer, SSL *ssl, X509 *certificate)
{
    X509_STORE_CTX *check = X509_STORE_CTX_new();

    if (check && X509_STORE_CTX_init(check, SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)), certificate,
                                     SSL_get_peer_cert_chain(ssl)) == 1) {
        X509_STORE_CTX_set_default(check, "ssl_server");
        X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(check), X509_V_FLAG_NO_CHECK_TIME);
        peer->is_chain_right = X509_verify_cert(check) == 1;
        if (!peer->is_chain_right)
            snprintf(peer->chain_error, sizeof(peer->chain_error), "%s",
                     X509_verify_cert_error_string(X509_STORE_CTX_get_error(check)));
    }
    X509_STORE_CTX_free(check);
    ERR_clear_error();
}

int tls_peer_look(struct tls_peer *peer, struct stream *stream, const char *name)
{
    SSL *ssl = stream_ssl(stream);
    X509 *certificate;

    *peer = (struct tls_peer){0};
    if (!ssl)
        return -EINVAL;
    snprintf(peer->version, sizeof(peer->version), "%s", SSL_get_version(ssl));
    snprintf(peer->cipher, sizeof(peer->cipher), "%s", SSL_get_cipher_name(ssl));
    certificate = SSL_get1_peer_certificate(ssl);
    if (!certificate)
        return 0;
    peer->has_certificate = true;
    peer->starts_s = seconds_of(X509_get0_notBefore(certificate));
    peer->ends_s = seconds_of(X509_get0_notAfter(certificate));
    peer->is_name_right = is_for(certificate, name);
    peer->is_self_signed = X509_NAME_cmp(X509_get_subject_name(certificate), X509_get_issuer_name(certificate)) == 0;
    read_names(peer, certificate);
    check_chain(peer, ssl, certificate);
    X509_free(certificate);
    return 0;
}

int tls_file_dates(int64_t *starts_s, int64_t *ends_s, const char *file)
{
    FILE *in = fopen(file, "r");
    X509 *certificate = in ? PEM_read_X509(in, NULL, NULL, NULL) : NULL;

    if (in)
        fclose(in);
    ERR_clear_error();
    if (!certificate)
        return -EINVAL;
    *starts_s = seconds_of(X509_get0_notBefore(certificate));
    *ends_s = seconds_of(X509_get0_notAfter(certificate));
    X509_free(certificate);
    return 0;
}
