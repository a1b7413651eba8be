/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sip/digest.h"

/* digest_hash.h: the hashes behind digest.c and digest_nonce.c, by OpenSSL. The algorithms are fetched once per process
 * and a context is kept per thread, because fetching costs more than hashing a few hundred bytes. */

/** Lower-case hex of the hash over the parts with ':' between them. @return length, or -ENOMEM */
int digest_hash_joined(char hex[static DIGEST_HEX_MAX], enum digest_algorithm algorithm, const struct span *part,
                       unsigned part_count);

#define DIGEST_MAC_BYTES 32
/** HMAC-SHA256 with a key that is random per process. @return 0, -ENOMEM */
int digest_mac(unsigned char mac[static DIGEST_MAC_BYTES], struct span bytes);

/** Equal, in a time that depends on the length alone; hex digits without case. */
bool digest_same_hex(struct span left, struct span right);
void digest_write_hex(char *hex, const unsigned char *bytes, size_t n);
