package org.xfrmbridge.pfkey.server;

/**
 * Who is at the other end of a session.
 *
 * @param inode a number of the socket, for /proc/net/pfkey
 * @param uid of its user, unsigned
 * @param privileged whether it has CAP_NET_ADMIN over the bridge: without, it hears nothing and every request is
 *     refused with EPERM
 */
public record PfkeyCaller(long inode, int uid, boolean privileged) {}
