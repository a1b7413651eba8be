/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* srtp_openssl.h: libsrtp2's ciphers and its HMAC by OpenSSL, in place of those it was built with. */

/** Put them into libsrtp2's kernel, which tests each with its own vectors first. Once a process, behind srtp_init();
 *  sessions that exist keep what they were made with. @return 0; -ENOSYS: a test failed or an algorithm is missing;
 *  what was not replaced stays as it was */
int srtp_openssl_install(void);

/** The first cipher that was made on this thread since this was last asked: of a session, libsrtp2 makes that of RTP
 *  first. NULL: none. It lives as long as the session. */
const void *srtp_openssl_first(void);
/** What a packet touches of it, as far as OpenSSL lets us know where it is. */
struct warm;
void srtp_openssl_warm(const void *cipher, struct warm *warm);
