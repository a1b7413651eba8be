/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <openssl/types.h>

/* dtls_library.h: the part of OpenSSL that DTLS needs. Private to the dtls rooms. */

/** Made at the first call, for the life of the process; any thread. @return NULL, which means OpenSSL's own context,
 *  when it could not be made */
OSSL_LIB_CTX *dtls_library(void);
