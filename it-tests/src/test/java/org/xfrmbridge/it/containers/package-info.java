/**
 * The bridge and an unmodified charon inside Docker containers, with no more rights than NET_ADMIN and /dev/net/tun.
 */
package org.xfrmbridge.it.containers;
