/** PF_KEYv2 messages as they stand on a socket (RFC 2367, linux/pfkeyv2.h). */
package org.xfrmbridge.pfkey.sadb;
