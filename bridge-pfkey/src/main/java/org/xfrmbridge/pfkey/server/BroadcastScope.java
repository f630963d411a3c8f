package org.xfrmbridge.pfkey.server;

/**
 * Who gets a message besides the socket it is for, if it is for one; {@code BROADCAST_*}. Promiscuous sockets get every
 * one.
 */
enum BroadcastScope {
    NOBODY,
    REGISTERED,
    ALL;

    boolean includes(PfkeySession session) {
        return this == ALL || this == REGISTERED && session.isRegistered();
    }
}
