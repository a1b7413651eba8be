/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* net_tls.h: a self-signed certificate for "localhost" and its key as two PEM files in a fresh folder. */

struct net_pair {
    char folder[32], certificate[64], key[64];
};

static inline void net_pair_write(const struct net_pair *pair)
{
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *x509 = X509_new();
    X509_NAME *name = X509_get_subject_name(x509);
    X509_EXTENSION *san = X509V3_EXT_conf_nid(NULL, NULL, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1");
    FILE *file;

    X509_set_version(x509, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(x509), 1);
    X509_gmtime_adj(X509_getm_notBefore(x509), -60);
    X509_gmtime_adj(X509_getm_notAfter(x509), 3600);
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0);
    X509_set_issuer_name(x509, name);
    X509_set_pubkey(x509, key);
    X509_add_ext(x509, san, -1);
    X509_sign(x509, key, EVP_sha256());
    file = fopen(pair->certificate, "w");
    PEM_write_X509(file, x509);
    fclose(file);
    file = fopen(pair->key, "w");
    PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL);
    fclose(file);
    X509_EXTENSION_free(san);
    X509_free(x509);
    EVP_PKEY_free(key);
}

static inline void net_pair_make(struct net_pair *pair)
{
    snprintf(pair->folder, sizeof(pair->folder), "/tmp/sipway-test-XXXXXX");
    if (!mkdtemp(pair->folder))
        abort();
    snprintf(pair->certificate, sizeof(pair->certificate), "%s/cert.pem", pair->folder);
    snprintf(pair->key, sizeof(pair->key), "%s/key.pem", pair->folder);
    net_pair_write(pair);
}

static inline void net_pair_remove(const struct net_pair *pair)
{
    unlink(pair->certificate);
    unlink(pair->key);
    rmdir(pair->folder);
}
