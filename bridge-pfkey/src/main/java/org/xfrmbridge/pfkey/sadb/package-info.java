/** PF_KEYv2 messages as they stand on a socket: a header and extensions (RFC 2367, linux/pfkeyv2.h). */
package org.xfrmbridge.pfkey.sadb;
