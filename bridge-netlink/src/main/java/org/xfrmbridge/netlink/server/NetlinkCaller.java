package org.xfrmbridge.netlink.server;

/**
 * Who is at the other end of a session.
 *
 * @param portId {@code nl_pid} of the client's socket, unsigned
 * @param privileged whether it has CAP_NET_ADMIN over the bridge: without, every request is refused with EPERM
 */
public record NetlinkCaller(int portId, boolean privileged) {}
